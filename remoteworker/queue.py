"""Whose turn it is: sessions take turns, the oldest file of each first, jobs of a higher priority before all others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from jobs.batches import CLEARED_PROGRESS
from jobs.models import JobInput
from jobs.statuses import InputStatus
from remoteworker import clock, fleet
from remoteworker.choice import Box, File
from remoteworker.models import Attempt, Worker

MOVED = "MOVED"  # the code of an attempt that a person took away
PASSED_OVER = 50  # files looked at beyond the free slots: some may fit no worker
CLEARED: dict[str, Any] = CLEARED_PROGRESS


@dataclass(frozen=True)
class Limits:
    """How large a file may be, in bytes, for a worker with `room` now, and for `any` worker; None: no matter."""

    room: int | None = None
    any: int | None = None

    @classmethod
    def of(cls, kind: Worker.Kind, boxes: Iterable[Box]) -> "Limits":
        """Of these boxes, and of all workers of the kind that ever said what they are."""
        known = [worker for worker in Worker.usable().filter(kind=kind) if worker.capabilities]
        return cls(_largest(box.max_bytes for box in boxes), _largest(map(fleet.max_bytes, known)))

    def is_too_large(self, size_bytes: int) -> bool:
        return self.any is not None and size_bytes > self.any

    def takeable(self) -> Q:
        """What fits a worker with room. Files that fit none at all are let through: a worker refuses them by name."""
        if self.room is None:
            return Q()
        fits = Q(upload__size_bytes__lte=self.room)
        return fits | Q(upload__size_bytes__gt=self.any) if self.any is not None else fits


def next_up(kind: Worker.Kind, count: int, limits: Limits = Limits()) -> QuerySet[JobInput]:
    """The `count` inputs that workers of this kind should take next, in order."""
    latest = Attempt.objects.filter(
        job_input=OuterRef("pk"), number=OuterRef("attempt_count"), error_code=MOVED
    )
    due = in_order(kind).filter(limits.takeable(), not_before__lte=clock.now())
    return due.select_related("job", "upload").annotate(avoid=Subquery(latest.values("worker_id")[:1]))[
        :count
    ]


def in_order(kind: Worker.Kind) -> QuerySet[JobInput]:
    """Every input that waits for workers of this kind, next one first."""
    remotely = [remote for remote in (False, True) if fleet.kind_for(remote) == kind]
    oldest_first = [F("queued_at").asc(), F("position").asc(), F("pk").asc()]
    turn = Window(RowNumber(), partition_by=[F("job__session_id"), F("job__priority")], order_by=oldest_first)
    return (
        JobInput.objects.filter(status=InputStatus.QUEUED, job__use_remote__in=remotely)
        .annotate(turn=turn)
        .order_by(
            "-job__priority",
            "turn",
            F("job__session__served_at").asc(nulls_first=True),
            *oldest_first,
        )
    )


def files(waiting: Iterable[JobInput], kind: Worker.Kind, limits: Limits) -> list[File]:
    """Return what the choice of a worker needs to know of each."""
    present = list(Worker.usable().filter(kind=kind, drain=False, is_connected=True))
    return [_file(entry, present, limits) for entry in waiting]


def _file(entry: JobInput, present: list[Worker], limits: Limits) -> File:
    """A worker is avoided only where another one is there that can take the file."""
    avoid: int | None = getattr(entry, "avoid", None)
    size = entry.upload.size_bytes
    others = [
        worker for worker in present if worker.pk != avoid and size <= (fleet.max_bytes(worker) or size)
    ]
    return File(
        input_id=entry.pk,
        model=entry.job.model,
        seconds=entry.expected_seconds,
        size_bytes=size,
        wants_speakers=bool(entry.job.options.get("diarization_enabled")),
        avoid=avoid if others else None,
        is_too_large=limits.is_too_large(size),
    )


def _largest(limits: Iterable[int | None]) -> int | None:
    """The largest, None where one has no limit or there is none."""
    known = list(limits)
    return None if None in known else max((limit for limit in known if limit is not None), default=None)
