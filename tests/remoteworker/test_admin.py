"""Workers, attempts and priorities in admin: what a person at the desk sees and does there."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import batches
from jobs.models import Job, JobInput
from remoteworker import tasks
from remoteworker.models import Attempt, Worker
from remoteworker.workers import health
from tests.conftest import WORKER_TOKEN
from tests.steps import claim

LIVE = "/admin/remoteworker/worker/live/"


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def act(staff: Client, model: str, action: str, pk: object) -> None:
    url = f"/admin/{model}/"
    assert staff.post(url, {"action": action, "_selected_action": [str(pk)]}).status_code == 302


def test_the_live_page_shows_every_worker_what_it_has_and_until_when_it_is_waited_for(
    staff: Client, attempt: Attempt, worker: Worker
) -> None:
    JobInput.objects.update(stage="transcribing", percent=41.2)
    Worker.objects.update(speeds={"base": 7.5})
    health.note_failure(worker, "UNREACHABLE", "connection refused")
    page = staff.get(LIVE).content.decode()
    for part in ("box", "unreachable since", "connection refused", "1 / 1", "base 7.5×", "file-0.wav"):
        assert part in page
    assert "transcribing 41%" in page
    assert "fails at" in page
    assert WORKER_TOKEN not in page


def test_the_live_page_costs_the_same_however_many_files_a_worker_has(
    staff: Client, worker: Worker, job_of: Callable[..., Job]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            staff.get(LIVE)
        return len(asked)

    job_of(files=30)
    claim(worker, 1)
    few = queries()
    claim(worker, 29)
    assert queries() == few


def test_the_live_page_is_for_staff_only(browser: Client) -> None:
    assert browser.get(LIVE).status_code == 302


@pytest.mark.parametrize("model", ["remoteworker/worker", "remoteworker/attempt"])
def test_the_admin_moves_files_to_another_worker(
    model: str, staff: Client, attempt: Attempt, worker: Worker, job_input: JobInput
) -> None:
    name = "move_files" if model.endswith("worker") else "move"
    act(staff, model, name, worker.pk if model.endswith("worker") else attempt.pk)
    attempt.refresh_from_db()
    job_input.refresh_from_db()
    assert (job_input.status, attempt.error_code, attempt.cancel_pending) == ("queued", "MOVED", True)
    last = job_input.events.last()
    assert last is not None
    assert last.actor == "chief"


def test_the_admin_sets_priorities(staff: Client, job_of: Callable[..., Job], worker: Worker) -> None:
    first, second = job_of(), job_of()
    act(staff, "jobs/job", "go_first", second.pk)
    assert claim(worker)[0].job_input.job_id == second.pk
    act(staff, "jobs/job", "go_later", first.pk)
    third = job_of()
    assert claim(worker)[0].job_input.job_id == third.pk


def test_the_admin_asks_a_worker_at_once(
    staff: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: asked.append((task.name, *args)))
    act(staff, "remoteworker/worker", "ask_now", worker.pk)
    assert asked == [("remoteworker.tasks.poll_worker", worker.pk)]


def test_workers_out_of_service_stand_last(staff: Client, worker: Worker) -> None:
    Worker.objects.create(name="a-box", url="http://127.0.0.1:8", enabled=False, last_ping_at=timezone.now())
    page = staff.get(LIVE).content.decode()
    assert page.index(">box<") < page.index(">a-box<")


@pytest.mark.parametrize("gone", ["job", "session", "upload"])
@pytest.mark.parametrize("model", ["remoteworker/attempt", "jobs/jobinput", "jobs/job"])
def test_what_its_owner_deleted_is_not_started_again(
    model: str, gone: str, staff: Client, attempt: Attempt, job_input: JobInput
) -> None:
    job = job_input.job
    batches.cancel_job(job, "anna")
    deleted = {"job": job, "session": job.session, "upload": job_input.upload}[gone]
    type(deleted).objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    pk = {"attempt": attempt.pk, "jobinput": job_input.pk, "job": job.pk}[model.partition("/")[2]]
    act(staff, model, "retry", pk)
    assert JobInput.objects.get().status == "canceled"
    type(deleted).objects.update(deleted_at=None)
    act(staff, model, "retry", pk)
    assert JobInput.objects.get().status == "queued"


@pytest.mark.parametrize(
    ("model", "action"),
    [
        ("remoteworker/worker", "disable"),
        ("remoteworker/attempt", "move"),
        ("jobs/jobinput", "cancel"),
        ("jobs/job", "go_first"),
    ],
)
def test_who_may_only_look_only_looks(
    model: str, action: str, client: Client, attempt: Attempt, worker: Worker, job_input: JobInput
) -> None:
    guest = User.objects.create_user("guest", is_staff=True)
    guest.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(guest)
    pk = {"worker": worker.pk, "attempt": attempt.pk, "jobinput": job_input.pk, "job": job_input.job_id}
    url = f"/admin/{model}/"
    client.post(url, {"action": action, "_selected_action": [str(pk[model.partition("/")[2]])]})
    for row in (worker, job_input, job_input.job):
        row.refresh_from_db()
    assert (worker.enabled, job_input.status, job_input.job.priority) == (True, "running", 0)
