"""What is offered in mode optional, and what people are told where nobody is there to take a job."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from bulktranscribe.cli.client import JobOptions, Refused
from bulktranscribe.local_client import LocalClient
from jobs.api.session_state import session_state, state_stamp
from jobs.models import Job, Session, Upload
from remoteworker import clock
from remoteworker.models import Worker
from remoteworker.workers import registry

TOGGLE = "Run on GPU"


@pytest.fixture(autouse=True)
def optional(settings: Settings) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    settings.REMOTE_WORKER_URL = []


@pytest.fixture
def gpu(db: None) -> Worker:
    return Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote", is_connected=True)


def told(session: Session) -> str:
    """What the page says above the list."""
    return str(session_state(Session.objects.get(pk=session.pk)).notice or "")


def is_offered(browser: Client, session: Session) -> bool:
    return TOGGLE in browser.get(f"/sessions/{session.pk}/").content.decode()


def test_the_toggle_is_there_once_a_gpu_worker_is_configured_whatever_its_state(
    browser: Client, session: Session, worker: Worker, settings: Settings
) -> None:
    assert not is_offered(browser, session), "there is a local worker only"
    settings.REMOTE_WORKER_URL = ["https://gpu.example"]
    assert is_offered(browser, session), "it has no row before the first tick"
    settings.REMOTE_WORKER_URL = []
    Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote", enabled=False)
    assert is_offered(browser, session)
    Worker.objects.filter(name="gpu").update(is_retired=True)
    assert not is_offered(browser, session), "the settings no longer name it"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"is_connected": True}, ""),
        ({"is_connected": False}, "No GPU worker is reachable. Start one"),
        ({"is_connected": False, "enabled": False}, "All GPU workers are disabled. Enable one in admin"),
        ({"is_connected": False, "is_retired": True}, "No GPU worker is configured. Set REMOTE_WORKER_URL"),
    ],
)
def test_a_gpu_job_that_nobody_can_take_says_what_to_do_though_a_local_worker_is_there(
    state: dict[str, bool],
    why: str,
    session: Session,
    job_of: Callable[..., Job],
    worker: Worker,
    gpu: Worker,
) -> None:
    job_of(use_remote=True)
    before = state_stamp(Session.objects.get(pk=session.pk))
    Worker.objects.filter(pk=gpu.pk).update(**state)
    assert told(session).startswith(why)
    assert bool(told(session)) is bool(why)
    assert (state_stamp(Session.objects.get(pk=session.pk)) != before) is bool(why), (
        "an open page hears of it"
    )


def test_a_local_job_is_told_of_the_local_worker_only(
    session: Session, job_of: Callable[..., Job], worker: Worker, gpu: Worker
) -> None:
    job_of()
    Worker.objects.filter(pk=gpu.pk).update(is_connected=False)
    assert told(session) == ""
    Worker.objects.update(is_connected=True)
    Worker.objects.filter(pk=worker.pk).update(is_connected=False)
    assert told(session).startswith("The local worker is unreachable.")


def test_an_empty_session_is_told_of_all_that_could_be_chosen(
    session: Session, worker: Worker, gpu: Worker
) -> None:
    assert told(session) == ""
    Worker.objects.update(is_connected=False)
    assert "local worker" in told(session)
    assert "No GPU worker is reachable." in told(session)
    gpu.delete()
    assert "GPU" not in told(session), "it cannot be chosen"


def test_a_gpu_job_is_refused_where_there_is_no_gpu_worker_at_all(
    browser: Client, session: Session, upload_of: Callable[..., Upload], worker: Worker
) -> None:
    order = {"uploadIds": [str(upload_of().pk)], "model": "base", "useRemote": True}
    url = f"/api/sessions/{session.pk}/jobs"
    answer = browser.post(url, order, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "NO_GPU_WORKER")
    assert "REMOTE_WORKER_URL" in answer.json()["error"]["message"]
    assert not Job.objects.exists()
    Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote", enabled=False)
    assert browser.post(url, order, content_type="application/json").status_code == 201


@pytest.mark.parametrize(("mode", "place"), [("off", "local"), ("required", "remote")])
def test_in_the_other_modes_the_wish_for_a_gpu_is_no_error(
    mode: str, place: str, settings: Settings, job_of: Callable[..., Job]
) -> None:
    settings.REMOTE_WORKER_MODE = mode
    assert registry.kind_for(job_of(use_remote=True).use_remote) == place


def test_the_command_line_is_refused_too_and_told_of_its_session(
    person: User, session: Session, upload_of: Callable[..., Upload], worker: Worker
) -> None:
    cli_client, pk = LocalClient(person), str(session.pk)
    clock.follow("dispatch_queued")
    with pytest.raises(Refused, match="No GPU worker is configured"):
        cli_client.start(pk, [str(upload_of().pk)], JobOptions("base", "", "auto", True))
    gpu = Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote", is_connected=True)
    cli_client.start(pk, [str(upload_of().pk)], JobOptions("base", "", "auto", True))
    assert cli_client.notice(pk) == ""
    Worker.objects.filter(pk=gpu.pk).update(is_connected=False)
    assert cli_client.notice(pk).startswith("No GPU worker is reachable.")
