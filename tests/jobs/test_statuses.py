"""The life of an input, all pairs of the table."""

import itertools
from collections.abc import Callable

import pytest

from jobs.models import Job, JobEvent, JobInput
from jobs.statuses import MOVES, Event, InputStatus, job_status

# Written down a second time, from the design, so that a slip in the table shows.
ALLOWED = {
    ("queued", "claimed"): "dispatching",
    ("queued", "canceled"): "canceled",
    ("dispatching", "accepted"): "running",
    ("dispatching", "pushed_back"): "queued",
    ("dispatching", "refused"): "failed",
    ("dispatching", "dispatch_timed_out"): "failed",
    ("dispatching", "canceled"): "canceled",
    ("running", "lost"): "failed",
    ("running", "requeued"): "queued",
    ("dispatching", "requeued"): "queued",
    ("dispatching", "moved"): "queued",
    ("running", "moved"): "queued",
    ("running", "timed_out"): "failed",
    ("running", "failed_by_worker"): "failed",
    ("running", "completed"): "complete",
    ("running", "canceled"): "canceled",
    ("failed", "retried"): "queued",
    ("failed", "completed_late"): "complete",
    ("canceled", "retried"): "queued",
}


@pytest.mark.parametrize(("status", "event"), list(itertools.product(InputStatus, Event)))
def test_each_event_moves_only_from_its_sources(
    status: InputStatus, event: Event, job_input: JobInput
) -> None:
    JobInput.objects.filter(pk=job_input.pk).update(status=status, error_code="REMOTE_JOB_NOT_FOUND")
    moved = job_input.move_to(event, actor="test")
    job_input.refresh_from_db()
    target = ALLOWED.get((status.value, event.value))
    assert moved is (target is not None)
    assert job_input.status == (target or status)
    assert JobEvent.objects.filter(job_input=job_input).count() == int(moved)


def test_every_event_is_in_the_table() -> None:
    assert set(MOVES) == set(Event)


@pytest.mark.parametrize("code", ["INPUT_UNDECODABLE", "CANCELED", ""])
def test_a_late_result_does_not_revive_another_failure(code: str, job_input: JobInput) -> None:
    JobInput.objects.filter(pk=job_input.pk).update(status="failed", error_code=code)
    assert not job_input.move_to(Event.COMPLETED_LATE, actor="test")


def test_a_move_by_a_reader_with_an_old_row_is_judged_by_the_database(job_input: JobInput) -> None:
    stale = JobInput.objects.get(pk=job_input.pk)
    assert job_input.move_to(Event.CANCELED, actor="anna")
    assert stale.status == "queued"
    assert not stale.move_to(Event.CLAIMED, actor="controller")


def test_an_event_says_who_when_from_to_and_why(job_input: JobInput) -> None:
    job_input.move_to(Event.CLAIMED, actor="controller")
    job_input.move_to(Event.REFUSED, actor="box", code="UNKNOWN_MODEL", message="no such model")
    last = job_input.events.last()
    assert last is not None
    assert (last.actor, last.source, last.target) == ("box", "dispatching", "failed")
    assert (last.code, last.message) == ("UNKNOWN_MODEL", "no such model")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["queued", "queued"], "queued"),
        (["dispatching", "queued"], "dispatching"),
        (["running", "dispatching", "failed"], "running"),
        (["complete", "queued"], "running"),
        (["complete", "complete"], "complete"),
        (["complete", "failed"], "complete_with_errors"),
        (["complete", "canceled"], "complete_with_errors"),
        (["failed", "canceled"], "failed"),
        (["canceled", "canceled"], "canceled"),
    ],
)
def test_a_job_is_as_its_files_are(statuses: list[str], expected: str) -> None:
    assert job_status(statuses) == expected


def test_the_job_row_follows_its_files(job_of: Callable[..., Job]) -> None:
    job = job_of(files=2)
    first, second = job.inputs.all()
    first.move_to(Event.CLAIMED, actor="c")
    first.move_to(Event.REFUSED, actor="c", code="REMOTE_REFUSED")
    second.move_to(Event.CLAIMED, actor="c")
    second.move_to(Event.ACCEPTED, actor="c")
    second.move_to(Event.COMPLETED, actor="c")
    job.refresh_from_db()
    assert job.status == "complete_with_errors"
    assert job.ended_at is not None
