"""What every test may ask for: people, sessions, uploads, jobs, and a worker that says what the test wants."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.test import Client
from django.utils import timezone

from bulktranscribe.directories import make_directories
from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import Job, JobInput, Session, Upload
from jobs.uploads import ingest
from remoteworker.attempts import dispatch
from remoteworker.models import Attempt, Worker
from remoteworker.scheduling import queue_snapshot
from tests.scripted_worker import ScriptedWorker
from tests.steps import claim

REPOSITORY = Path(__file__).resolve().parent.parent
WORKER_TOKEN = "worker-token-for-tests-0123456789"


def pytest_sessionstart() -> None:
    make_directories()


def pytest_sessionfinish() -> None:
    from django.conf import settings

    shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queues are put in order in no time and for every question, however slow this machine is."""
    queue_snapshot.forget()
    monkeypatch.setattr(queue_snapshot, "monotonic", lambda: 1.0)


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("anna", password="a long pass phrase")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("jonas", password="another pass phrase")


@pytest.fixture
def browser(person: User) -> Client:
    """A signed-in browser of `person`."""
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def session(person: User) -> Session:
    return Session.objects.create(owner=person, name="Valley interviews")


@pytest.fixture
def upload_of(session: Session) -> Callable[..., Upload]:
    """Make an upload with these bytes."""

    def make(name: str = "mill.wav", content: bytes = b"RIFF-some-bytes") -> Upload:
        handler = ingest.HashingUploadHandler()
        handler.new_file("files", name, "audio/wav", len(content), None, None)
        handler.receive_data_chunk(content, 0)
        file = handler.file_complete(len(content))
        assert isinstance(file, TemporaryUploadedFile)
        return ingest.receive(session, file)

    return make


@pytest.fixture
def job_of(session: Session, person: User, upload_of: Callable[..., Upload]) -> Callable[..., Job]:
    """Make a queued job over `files` fresh uploads."""

    def make(files: int = 1, use_remote: bool = False, **options: object) -> Job:
        chosen = [upload_of(f"file-{number}.wav") for number in range(files)]
        wanted = Options(**{"model": "base", **options})  # type: ignore[arg-type]
        return batches.create_job(session, chosen, wanted, use_remote=use_remote, created_by=person)

    return make


@pytest.fixture
def job_input(job_of: Callable[..., Job]) -> JobInput:
    return job_of().inputs.get()


@pytest.fixture
def worker(db: None) -> Worker:
    """A connected local worker; nothing listens at its address."""
    box = Worker(name="box", kind=Worker.Kind.LOCAL, url="http://127.0.0.1:9", is_connected=True)
    box.token = WORKER_TOKEN
    box.checked_at = timezone.now() + timedelta(hours=1)  # no ping is due
    box.capabilities = {"maxConcurrentJobs": 1, "models": ["base"], "model": "base"}
    box.save()
    return box


@pytest.fixture
def scripted(worker: Worker) -> Iterator[ScriptedWorker]:
    """A server at the worker's address that answers what the test tells it to."""
    with ScriptedWorker() as server:
        Worker.objects.filter(pk=worker.pk).update(url=server.url)
        worker.refresh_from_db()
        yield server


@pytest.fixture
def attempt(job_input: JobInput, worker: Worker) -> Attempt:
    """A running attempt at `job_input`, known to the worker as `w-1`."""
    claimed = claim(worker)[0]
    assert dispatch.accept(claimed, "w-1")
    job_input.refresh_from_db()
    return claimed
