"""Decides what happens to an attempt: pure functions without database or network.

`decide` evaluates a running attempt by one observation; `validity` determines what a worker may write back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from gpu_worker.shared.protocol import ERRORS, JobStatus, parse_error
from jobs.statuses import Event, InputStatus


@dataclass(frozen=True)
class Times:
    """Points in time of an attempt; aware datetimes."""

    lease_until: datetime
    deadline_at: datetime
    outputs_due_at: datetime | None = None


@dataclass(frozen=True)
class Observation:
    """The result of one poll: a status, a genuine 404, or a failure reason.

    `was_awake`: this worker was polled continuously before, so that missing responses are meaningful.
    """

    status: JobStatus | None = None
    is_unknown: bool = False
    reason: str = ""
    was_awake: bool = True


@dataclass(frozen=True)
class Decision:
    """The consequence. Without an event, the attempt continues; `is_contact` renews its lease."""

    event: Event | None = None
    code: str = ""
    message: str = ""
    is_contact: bool = False
    outputs_expected: bool = False


class Validity(Enum):
    """The relation of an attempt to its input."""

    CURRENT = "current"  # its word counts
    STALE = "stale"  # replaced: 409
    CANCELED = "canceled"  # nobody wants it: 410


def decide(times: Times, seen: Observation, now: datetime) -> Decision:
    """Evaluate a running attempt by a current observation.

    A poll that reports `complete` never completes anything: only the worker's callback does or, in push mode,
    the documents that are then downloaded. A poller that was suspended expires nothing.
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
    """Return the validity of attempt `number` for an input in `status` whose latest attempt is `latest`."""
    if status == InputStatus.CANCELED:
        return Validity.CANCELED
    if number != latest or status == InputStatus.QUEUED:
        return Validity.STALE
    return Validity.CURRENT


def unwatched(polled_at: datetime | None, now: datetime, awake: timedelta) -> timedelta:
    """Return for how long a worker was not polled: zero if the gap is shorter than `awake`."""
    gap = now - polled_at if polled_at is not None else timedelta(0)
    return gap if gap > awake else timedelta(0)


def _fail(event: Event, code: str, message: str = "") -> Decision:
    return Decision(event=event, code=code, message=message or ERRORS[code].sentence)
