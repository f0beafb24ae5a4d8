"""The statuses of a JobInput, the events that move it, and the status of a Job derived from them.

`MOVES` is the whole life cycle of an input; `JobInput.move_to` is the only writer that follows it.
`docs/job-states.md` is generated from this table.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class InputStatus(TextChoices):
    """Status of one file in a job."""

    QUEUED = "queued", _("Queued")
    DISPATCHING = "dispatching", _("Dispatching")
    RUNNING = "running", _("Running")
    COMPLETE = "complete", _("Complete")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class JobStatus(TextChoices):
    """Status of a job, derived from its inputs."""

    QUEUED = "queued", _("Queued")
    DISPATCHING = "dispatching", _("Dispatching")
    RUNNING = "running", _("Running")
    COMPLETE = "complete", _("Complete")
    COMPLETE_WITH_ERRORS = "complete_with_errors", _("Complete with errors")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class Event(TextChoices):
    """What can happen to an input."""

    CLAIMED = "claimed", _("assigned to a worker with a free slot")
    ACCEPTED = "accepted", _("accepted by the worker")
    PUSHED_BACK = "pushed_back", _("worker was busy or unreachable")
    REFUSED = "refused", _("rejected by the worker")
    DISPATCH_TIMED_OUT = "dispatch_timed_out", _("no response to dispatch")
    LOST = "lost", _("lost: the worker no longer has it or is unreachable")
    REQUEUED = "requeued", _("lost, queued for another attempt")
    MOVED = "moved", _("withdrawn from its worker and queued for another one")
    TIMED_OUT = "timed_out", _("deadline exceeded")
    FAILED_BY_WORKER = "failed_by_worker", _("failure reported by the worker")
    COMPLETED = "completed", _("result saved")
    COMPLETED_LATE = "completed_late", _("result saved, received after the attempt was marked as failed")
    CANCELED = "canceled", _("canceled by a user")
    RETRIED = "retried", _("retried by a user")


@dataclass(frozen=True)
class Move:
    """The allowed source statuses of an event and its target; `codes` restricts it to failures with these codes."""

    sources: tuple[InputStatus, ...]
    target: InputStatus
    codes: tuple[str, ...] = ()


S = InputStatus
WAITING = (S.QUEUED, S.DISPATCHING)  # no worker has begun with it
AT_A_WORKER = (S.DISPATCHING, S.RUNNING)
ACTIVE = (S.QUEUED, S.DISPATCHING, S.RUNNING)
ENDED = (S.COMPLETE, S.FAILED, S.CANCELED)
ACTIVE_JOBS = (JobStatus.QUEUED, JobStatus.DISPATCHING, JobStatus.RUNNING)  # they have files that are active
LOST_CODES = ("REMOTE_JOB_NOT_FOUND", "REMOTE_LEASE_EXPIRED", "REMOTE_TIMEOUT")

MOVES: dict[Event, Move] = {
    Event.CLAIMED: Move((S.QUEUED,), S.DISPATCHING),
    Event.ACCEPTED: Move((S.DISPATCHING,), S.RUNNING),
    Event.PUSHED_BACK: Move((S.DISPATCHING,), S.QUEUED),
    Event.REFUSED: Move((S.DISPATCHING,), S.FAILED),
    Event.DISPATCH_TIMED_OUT: Move((S.DISPATCHING,), S.FAILED),
    Event.LOST: Move((S.RUNNING,), S.FAILED),
    Event.REQUEUED: Move(AT_A_WORKER, S.QUEUED),
    Event.MOVED: Move(AT_A_WORKER, S.QUEUED),
    Event.TIMED_OUT: Move((S.RUNNING,), S.FAILED),
    Event.FAILED_BY_WORKER: Move((S.RUNNING,), S.FAILED),
    Event.COMPLETED: Move((S.RUNNING,), S.COMPLETE),
    Event.COMPLETED_LATE: Move((S.FAILED,), S.COMPLETE, codes=LOST_CODES),
    Event.CANCELED: Move(ACTIVE, S.CANCELED),
    Event.RETRIED: Move((S.FAILED, S.CANCELED), S.QUEUED),
}


def job_status(statuses: Collection[str]) -> JobStatus:
    """Derive a job's status from those of its inputs."""
    present = set(statuses)
    if S.RUNNING in present:
        return JobStatus.RUNNING
    if S.DISPATCHING in present:
        return JobStatus.DISPATCHING
    if S.QUEUED in present:
        return JobStatus.QUEUED if present == {S.QUEUED} else JobStatus.RUNNING
    if present == {S.COMPLETE}:
        return JobStatus.COMPLETE
    if S.COMPLETE in present:
        return JobStatus.COMPLETE_WITH_ERRORS
    return JobStatus.FAILED if S.FAILED in present else JobStatus.CANCELED
