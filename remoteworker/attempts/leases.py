"""What becomes of an attempt: pure decisions, without database or network.

`decide` judges a running attempt by one observation; `validity` says what a worker that writes back may do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from gpu_worker.shared.protocol import ERRORS, JobStatus, parse_error
from jobs.statuses import Event, InputStatus


@dataclass(frozen=True)
class Times:
    """What the clock says of an attempt; aware datetimes."""

    lease_until: datetime
    deadline_at: datetime
    outputs_due_at: datetime | None = None


@dataclass(frozen=True)
class Observation:
    """What one poll brought: a status, a genuine 404, or nothing but a reason.

    `was_awake`: somebody has looked at this worker all the time before, so that silence means something.
    """

    status: JobStatus | None = None
    is_unknown: bool = False
    reason: str = ""
    was_awake: bool = True


@dataclass(frozen=True)
class Decision:
    """What follows. No event: the attempt goes on; `is_contact` renews its lease."""

    event: Event | None = None
    code: str = ""
    message: str = ""
    is_contact: bool = False
    outputs_expected: bool = False


class Validity(Enum):
    """What a worker that speaks for an attempt is to its input."""

    CURRENT = "current"  # its word counts
    STALE = "stale"  # replaced: 409
    CANCELED = "canceled"  # nobody wants it: 410


def decide(times: Times, seen: Observation, now: datetime) -> Decision:
    """Judge a running attempt by one observation, made just now.

    A poll that says `complete` never completes anything: only the worker's callback does, and in push
    mode the documents that are then fetched. A poller that slept declares nothing over for lack of time.
    """
    said = seen.status["status"] if seen.status is not None else None
    if seen.is_unknown:
        return _fail(Event.LOST, "REMOTE_JOB_NOT_FOUND")
    if said == "failed" and seen.status is not None:
        error = parse_error(seen.status.get("error"))
        code = error["code"] if error else "PROCESSING_ERROR"
        return _fail(Event.FAILED_BY_WORKER, code, error["message"] if error else "")
    if said == "canceled":
        return _fail(Event.FAILED_BY_WORKER, "CANCELED", "The worker canceled this job.")
    if said == "complete":
        if times.outputs_due_at is not None and now >= times.outputs_due_at and seen.was_awake:
            return _fail(Event.FAILED_BY_WORKER, "REMOTE_OUTPUTS_MISSING")
        return Decision(is_contact=True, outputs_expected=True)
    if now >= times.deadline_at and seen.was_awake:
        return _fail(Event.TIMED_OUT, "REMOTE_TIMEOUT")
    if said is None and now >= times.lease_until and seen.was_awake:
        return _fail(Event.LOST, "REMOTE_LEASE_EXPIRED", seen.reason)
    return Decision(is_contact=said is not None)


def validity(number: int, latest: int, status: str) -> Validity:
    """Say what attempt `number` is to an input in `status` whose latest attempt is `latest`."""
    if status == InputStatus.CANCELED:
        return Validity.CANCELED
    if number != latest or status == InputStatus.QUEUED:
        return Validity.STALE
    return Validity.CURRENT


def unwatched(polled_at: datetime | None, now: datetime, awake: timedelta) -> timedelta:
    """Return for how long nobody has looked at a worker: nothing where the gap is shorter than `awake`."""
    gap = now - polled_at if polled_at is not None else timedelta(0)
    return gap if gap > awake else timedelta(0)


def _fail(event: Event, code: str, message: str = "") -> Decision:
    return Decision(event=event, code=code, message=message or ERRORS[code].sentence)
