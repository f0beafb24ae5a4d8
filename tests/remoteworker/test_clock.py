"""Clocks that jump, controllers that sleep."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from jobs.models import JobInput
from remoteworker import clock, leases, polling, tasks
from remoteworker.models import Attempt, Tick, Worker
from tests.scripted_worker import Said, ScriptedWorker

HOURS = timedelta(hours=2)


class Clock:
    """The database's clock as a test sets it; uptime goes on as it does."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        return timezone.now() + self.offset


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clock, "now", made.now)
    monkeypatch.setattr(tasks, "nudge", lambda *args: None)
    return made


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_clock_that_jumps_takes_every_waiting_time_along(
    jump: timedelta, wall: Clock, attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    tasks.poll_workers()
    before = Attempt.objects.get()
    wall.offset = jump
    tasks.poll_workers()
    after = Attempt.objects.get()
    for name in ("lease_until", "deadline_at"):
        moved = getattr(after, name) - getattr(before, name)
        assert abs(moved - jump) < timedelta(seconds=5), name
    assert not Attempt.objects.filter(lease_until__gt=wall.now() + timedelta(seconds=90)).exists()
    tasks.poll_workers()
    assert Attempt.objects.get().lease_until == after.lease_until, "once"


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_jump_neither_loses_a_running_file_nor_holds_a_waiting_one(
    jump: timedelta,
    wall: Clock,
    attempt: Attempt,
    job_input: JobInput,
    worker: Worker,
    scripted: ScriptedWorker,
) -> None:
    scripted.script["GET /v1/jobs/w-1"] = Said(502, b"")
    tasks.poll_workers()
    polling.poll_worker(worker.pk)
    wall.offset = jump
    polling.poll_worker(worker.pk)  # before the tick has seen the jump
    tasks.poll_workers()
    polling.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == "running"
    left = Attempt.objects.get().lease_until - wall.now()
    assert timedelta(seconds=60) < left <= timedelta(seconds=90)


def test_the_ticks_of_another_machine_prove_no_jump(wall: Clock, attempt: Attempt) -> None:
    Tick.objects.create(name="reap", at=timezone.now() - HOURS, uptime=5.0, boot_id="another machine")
    before = Attempt.objects.get().lease_until
    tasks.reap()
    assert Attempt.objects.get().lease_until == before


def test_a_controller_that_slept_polls_once_before_it_gives_anything_up(
    wall: Clock, attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["GET /v1/jobs/w-1"] = Said(502, b"")
    scripted.script["GET /v1/ping"] = Said(502, b"")
    Worker.objects.update(polled_at=timezone.now() - HOURS)
    Attempt.objects.update(lease_until=timezone.now() - HOURS + timedelta(seconds=60))
    polling.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == "running", "nobody looked for two hours: silence now says little"
    left = Attempt.objects.get().lease_until - timezone.now()
    assert timedelta(seconds=50) < left < timedelta(seconds=61), "the lease has what it had left"
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    polling.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == ("failed", "REMOTE_LEASE_EXPIRED")


def test_a_short_gap_is_no_sleep() -> None:
    now = timezone.now()
    awake = timedelta(seconds=30)
    assert leases.unwatched(None, now, awake) == timedelta(0)
    assert leases.unwatched(now - timedelta(seconds=29), now, awake) == timedelta(0)
    assert leases.unwatched(now - timedelta(seconds=31), now, awake) == timedelta(seconds=31)
    assert leases.unwatched(now + HOURS, now, awake) == timedelta(0), "the clock went back"
