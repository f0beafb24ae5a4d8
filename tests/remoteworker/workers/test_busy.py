"""A box that is full, by its own word, is left alone for a while: no attempts and events without end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, JobEvent, JobInput
from remoteworker.attempts import dispatch
from remoteworker.models import Attempt, Worker
from remoteworker.workers import capacity, health, registry
from tests.remoteworker.conftest import Hours
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import hand_out

BUSY = Said(429, {"error": {"code": "BUSY", "message": "full"}}, {"Retry-After": "7"})
TICK = timedelta(seconds=2)


def accepted(name: str) -> Said:
    return Said(201, {"workerJobId": name, "status": "queued"})


@pytest.fixture
def job(job_of: Callable[..., Job], hours: Hours, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(dispatch, "ASSIGN_SECONDS", 60.0)  # all in one tick, however slow the machine
    made = job_of(files=12)
    hours.at = timezone.now()
    return made


def ticks(count: int, worker: Worker, hours: Hours) -> None:
    for _ in range(count):
        hand_out(worker)
        hours.at += TICK


def free(worker: Worker) -> int:
    return capacity.free_slots(registry.enabled_workers().get(pk=worker.pk))


@pytest.mark.parametrize(
    ("after", "attempts"),
    [
        pytest.param(20, 4, id="it waits 7 s, 10 s, 20 s"),
        pytest.param(1820, 20, id="an hour: every five minutes in the end", marks=pytest.mark.slow),
    ],
)
def test_a_worker_that_stays_full_is_asked_ever_less_often(
    after: int, attempts: int, job: Job, worker: Worker, scripted: ScriptedWorker, hours: Hours
) -> None:
    scripted.script["POST /v1/jobs"] = BUSY
    ticks(after, worker, hours)
    assert 1 < Attempt.objects.count() <= attempts
    assert JobEvent.objects.count() == 2 * Attempt.objects.count()
    assert {entry.status for entry in job.inputs.all()} == {"queued"}


def test_a_capacity_above_what_the_worker_takes_costs_one_round(
    job: Job, worker: Worker, scripted: ScriptedWorker, hours: Hours
) -> None:
    Worker.objects.update(capacity=12)
    scripted.script["POST /v1/jobs"] = [accepted("w-1"), *[BUSY] * 100]
    ticks(1, worker, hours)
    assert len(scripted.heard) == 2, "after the first no nothing more is sent"
    assert Attempt.objects.filter(ended_at=None).count() == 1, "what was claimed beside it goes back"
    before = Attempt.objects.count()
    ticks(30, worker, hours)
    assert Attempt.objects.count() - before <= 4


def test_once_a_file_of_the_worker_has_ended_it_is_asked_at_once_and_for_one_at_a_time(
    job: Job, worker: Worker, scripted: ScriptedWorker, hours: Hours
) -> None:
    Worker.objects.update(capacity=12)
    scripted.script["POST /v1/jobs"] = [accepted("w-1"), BUSY, accepted("w-2"), BUSY]
    ticks(1, worker, hours)
    assert free(worker) == 0
    Attempt.objects.get(worker_job_id="w-1").end(Attempt.Outcome.COMPLETE)
    assert free(worker) == 1
    hours.at += 3 * TICK  # the files were put off for a moment
    before = Attempt.objects.count()
    ticks(1, worker, hours)
    assert Attempt.objects.filter(worker_job_id="w-2", ended_at=None).exists()
    ticks(1, worker, hours)
    assert (Attempt.objects.count() - before, free(worker)) == (2, 0)
    worker.refresh_from_db()
    assert worker.refusals == 1, "it counts from the last file that it took"


def test_a_refused_file_goes_to_another_worker_meanwhile(
    job: Job, worker: Worker, scripted: ScriptedWorker, hours: Hours
) -> None:
    scripted.script["POST /v1/jobs"] = BUSY
    ticks(1, worker, hours)
    with ScriptedWorker() as server:
        server.script["POST /v1/jobs"] = accepted("o-1")
        other = Worker(name="other", kind="local", url=server.url, is_connected=True)
        other.checked_at, other.token = hours.now(), "x"
        other.save()
        hours.at += 2 * TICK  # less than the full one asked for
        ticks(1, other, hours)
    assert Attempt.objects.get(worker_job_id="o-1").job_input.upload.name == "file-0.wav"


def test_a_worker_that_says_it_has_room_again_is_asked_at_once(
    job: Job, worker: Worker, scripted: ScriptedWorker, hours: Hours
) -> None:
    """Its other controller's files have ended: only a ping tells."""
    said: dict[str, Any] = {"status": "ok", "models": ["base"], "maxConcurrentJobs": 1, "queueSize": 1}
    scripted.script["POST /v1/jobs"] = BUSY
    Worker.objects.update(capabilities={**said, "activeJobs": 1})
    ticks(1, worker, hours)
    assert free(worker) == 0
    for active, room in ((1, 0), (2, 0), (2, 0), (1, 1)):
        scripted.script["GET /v1/ping"] = Said(200, {**said, "activeJobs": active})
        assert health.ping(Worker.objects.get(pk=worker.pk))
        assert free(worker) == room, "only a change counts: it may refuse for another reason"


def test_a_refusal_is_forgotten_after_a_while_and_when_the_clock_went_far_back(
    job: Job, worker: Worker, hours: Hours
) -> None:
    Worker.objects.update(capacity=5)
    capacity.note_busy(worker, 10.0**9)
    assert free(worker) == 0
    hours.at += timedelta(seconds=301)
    assert free(worker) == 1
    hours.at += timedelta(seconds=600)
    assert free(worker) == 5
    hours.at -= timedelta(hours=3)
    assert free(worker) == 1


def test_the_admin_sees_until_when_a_full_worker_is_left_alone(
    job_input: JobInput, worker: Worker, admin_client: Client
) -> None:
    live = "/admin/remoteworker/worker/live/"
    assert "full" not in admin_client.get(live).content.decode()
    capacity.note_busy(worker, 60.0)
    assert "at capacity: retrying at" in admin_client.get(live).content.decode()
