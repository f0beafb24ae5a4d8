"""Clocks that jump, controllers that sleep."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs import batches
from jobs import clock as shared
from jobs.models import Delivery, Job, JobInput, NoticeEvent, Session, Webhook
from jobs.notifications import delivery, outbox
from jobs.statuses import Event
from remoteworker import clock, signing, tasks
from remoteworker.attempts import dispatch, leases, poll
from remoteworker.models import POLLING, Attempt, Tick, Worker
from remoteworker.scheduling import queue
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim

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
    for module in (shared, clock):
        monkeypatch.setattr(module, "now", made.now)
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


def test_a_jump_takes_notices_that_wait_along(wall: Clock, person: User) -> None:
    Delivery.objects.create(owner=person, event=NoticeEvent.JOB_ENDED)
    tasks.poll_workers()
    before = Delivery.objects.get().due_at
    wall.offset = -HOURS
    tasks.poll_workers()
    due_at = Delivery.objects.get().due_at
    assert before and due_at and abs(due_at - before + HOURS) < timedelta(seconds=5)


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
    poll.poll_worker(worker.pk)
    wall.offset = jump
    poll.poll_worker(worker.pk)  # before the tick has seen the jump
    tasks.poll_workers()
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == "running"
    left = Attempt.objects.get().lease_until - wall.now()
    assert timedelta(seconds=60) < left <= timedelta(seconds=90)


def test_the_ticks_of_another_machine_prove_no_jump(wall: Clock, attempt: Attempt) -> None:
    Tick.objects.create(name="clock", at=timezone.now() - HOURS, uptime=5.0, boot_id="another machine")
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
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == "running", "nobody looked for two hours: silence now says little"
    left = Attempt.objects.get().lease_until - timezone.now()
    assert timedelta(seconds=50) < left < timedelta(seconds=61), "the lease has what it had left"
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == ("failed", "REMOTE_LEASE_EXPIRED")


def test_a_short_gap_is_no_sleep() -> None:
    now = timezone.now()
    awake = timedelta(seconds=30)
    assert leases.unwatched(None, now, awake) == timedelta(0)
    assert leases.unwatched(now - timedelta(seconds=29), now, awake) == timedelta(0)
    assert leases.unwatched(now - timedelta(seconds=31), now, awake) == timedelta(seconds=31)
    assert leases.unwatched(now + HOURS, now, awake) == timedelta(0), "the clock went back"


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_jump_counts_once_however_many_ticks_see_it(
    jump: timedelta, wall: Clock, attempt: Attempt, job_of: Callable[..., Job]
) -> None:
    waiting = job_of().inputs.get()
    served = timezone.now()
    Worker.objects.update(checked_at=served, is_connected=False, failures=3)
    Session.objects.update(served_at=served)
    JobInput.objects.update(not_before=served)

    def every_tick() -> None:
        for tick in (tasks.dispatch_queued, tasks.poll_workers, tasks.reap):
            tick()
        clock.follow("prune")

    every_tick()
    wall.offset = jump
    every_tick()
    waiting.refresh_from_db()
    assert waiting.not_before is not None
    near = timedelta(seconds=60)
    assert waiting.not_before - wall.now() < near
    checked, served_at = Worker.objects.get().checked_at, Session.objects.get().served_at
    assert checked is not None
    assert served_at is not None
    assert abs(checked - wall.now()) < near
    assert abs(served_at - wall.now()) < near, "or its turn would never come"


@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_what_is_put_off_after_the_jump_and_before_the_tick_waits_no_longer_for_it(
    jump: timedelta, wall: Clock, worker: Worker, job_input: JobInput, person: User
) -> None:
    tasks.poll_workers()
    wall.offset = jump
    [attempt] = claim(worker)
    dispatch.push_back(attempt, 5.0)
    Delivery.objects.create(
        owner=person,
        event=NoticeEvent.JOB_ENDED,
        due_at=wall.now(),
        held_until=wall.now() + timedelta(seconds=60),
    )
    tasks.poll_workers()
    soon = wall.now() + timedelta(seconds=61)
    job_input.refresh_from_db()
    delivery = Delivery.objects.get()
    for at in (job_input.not_before, delivery.due_at, delivery.held_until):
        assert at is not None
        assert at < soon


def test_what_was_queued_after_the_jump_and_before_the_tick_keeps_its_turn(
    wall: Clock, worker: Worker, job_of: Callable[..., Job]
) -> None:
    tasks.poll_workers()
    wall.offset = HOURS
    first = job_of()
    other = Session.objects.create(owner=first.created_by, name="Other", served_at=wall.now())
    tasks.poll_workers()
    later = job_of()
    other.refresh_from_db()
    assert other.served_at is not None
    assert other.served_at <= wall.now(), "or its turn would not come for two hours"
    assert [entry.job for entry in queue.next_up(Worker.Kind.LOCAL, 2)] == [first, later]


def test_a_dispatch_between_the_jump_and_the_tick_is_sent_again_in_time(
    wall: Clock, worker: Worker, job_input: JobInput
) -> None:
    tasks.poll_workers()
    wall.offset = HOURS
    claim(worker)
    Attempt.objects.update(sent_at=wall.now())
    tasks.poll_workers()
    wall.offset += timedelta(seconds=9)
    assert list(dispatch.workers_to_hand_over()) == [worker]


def test_two_ticks_at_the_same_instant_move_things_once(
    wall: Clock, attempt: Attempt, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.poll_workers()
    wall.offset = HOURS
    real, others = clock._uptime, [lambda: clock.follow("reap")]

    def uptime() -> float:
        if others:
            others.pop()()
        return real()

    before = worker.checked_at
    assert before is not None
    monkeypatch.setattr(clock, "_uptime", uptime)
    clock.follow("poll_workers")
    worker.refresh_from_db()
    assert worker.checked_at is not None
    assert abs(worker.checked_at - before - HOURS) < timedelta(seconds=5)


def test_a_jump_is_not_forgotten_where_it_could_not_be_written(
    wall: Clock, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.poll_workers()
    before = Attempt.objects.get().deadline_at
    wall.offset = -HOURS

    def locked(_jump: timedelta) -> None:
        raise RuntimeError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(clock, "_shift", locked)
        with pytest.raises(RuntimeError):
            tasks.poll_workers()
    tasks.poll_workers()
    assert abs(Attempt.objects.get().deadline_at - before + HOURS) < timedelta(seconds=5)


def test_a_claim_of_before_the_clock_went_back_is_free(worker: Worker, job_input: JobInput) -> None:
    Worker.objects.update(polled_until=timezone.now() + HOURS)
    row = Worker.objects.filter(pk=worker.pk)
    assert POLLING.claim(row)
    assert not POLLING.claim(row)
    Worker.objects.update(checked_at=timezone.now() + HOURS)
    assert poll.workers_to_poll() == [worker]


def test_sleep_costs_no_worker_the_result_that_it_has_announced(
    wall: Clock, attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    done = {"workerJobId": "w-1", "status": "complete", "stage": "complete", "progress": {"percent": 100}}
    scripted.script["GET /v1/jobs/w-1"] = Said(200, done)
    poll.poll_worker(worker.pk)
    asleep = timezone.now() - timedelta(hours=1)
    Worker.objects.update(polled_at=asleep)
    Attempt.objects.update(outputs_due_at=asleep + timedelta(seconds=59))
    for _ in range(2):
        poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == "running"


# The database's host has one time, the controller's another ------------------------------------------


@pytest.mark.parametrize("apart", [HOURS, -HOURS])
def test_hosts_that_disagree_about_the_time_hold_no_file_up(
    apart: timedelta, wall: Clock, worker: Worker, job_of: Callable[..., Job]
) -> None:
    wall.offset = apart
    job_input = job_of().inputs.get()
    [attempt] = claim(worker)
    assert dispatch.move_away(attempt, "anna", "too slow")
    [attempt] = claim(worker)
    assert attempt.job_input == job_input
    attempt.job_input.move_to(Event.REFUSED, actor="box")
    attempt.end(Attempt.Outcome.FAILED)
    assert batches.retry_input(attempt.job_input, "anna")
    assert claim(worker)


@pytest.mark.parametrize("apart", [HOURS, -HOURS])
def test_hosts_that_disagree_about_the_time_cut_no_link_off(
    apart: timedelta, wall: Clock, worker: Worker, job_input: JobInput
) -> None:
    wall.offset = apart
    [attempt] = claim(worker)

    def ask(seconds: int) -> int:
        expires = int(wall.now().timestamp()) + seconds
        signature = signing.sign_input(job_input.job_id, job_input.pk, attempt.number, expires)
        path = f"/api/jobs/{job_input.job_id}/inputs/{job_input.pk}"
        answer = Client().get(path, {"expires": expires, "sig": signature})
        answer.getvalue()  # to its end: close() would take the test's connection along
        return answer.status_code

    assert (ask(60), ask(-60)) == (200, 403)


@pytest.mark.parametrize("apart", [HOURS, -HOURS])
def test_an_attempt_ends_by_the_clock_that_it_began_by(
    apart: timedelta, wall: Clock, worker: Worker, job_input: JobInput
) -> None:
    wall.offset = apart
    [attempt] = claim(worker)
    attempt.end(Attempt.Outcome.FAILED)
    assert attempt.ended_at is not None
    assert timedelta(0) <= attempt.ended_at - attempt.created_at < timedelta(seconds=60)


@pytest.mark.parametrize("apart", [HOURS, -HOURS])
def test_hosts_that_disagree_about_the_time_hold_no_notice_up(
    apart: timedelta, wall: Clock, person: User, job_of: Callable[..., Job]
) -> None:
    wall.offset = apart
    hook = Webhook(owner=person, url="https://hook.example/")
    hook.renew_secret()
    hook.save()
    assert batches.cancel_job(job_of(), "somebody else")
    assert outbox.notice_all() == 1
    assert [due.webhook for due in delivery._claim_due()] == [hook]


def test_the_oldest_goes_first_whoever_put_it_into_the_queue(
    wall: Clock, worker: Worker, job_of: Callable[..., Job]
) -> None:
    wall.offset = -HOURS
    first = job_of()
    later = job_of()
    assert all(abs(entry.queued_at - wall.now()) < timedelta(seconds=60) for entry in JobInput.objects.all())
    assert [entry.job for entry in queue.next_up(Worker.Kind.LOCAL, 2)] == [first, later]
