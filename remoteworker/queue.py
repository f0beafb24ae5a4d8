"""Whose turn it is: sessions take turns, the oldest file of each first, jobs of a higher priority before all others."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from jobs.batches import CLEARED_PROGRESS
from jobs.models import JobInput
from jobs.statuses import InputStatus
from remoteworker import clock, fleet
from remoteworker.choice import File
from remoteworker.models import Attempt, Worker

MOVED = "MOVED"  # the code of an attempt that a person took away
PASSED_OVER = 50  # files looked at beyond the free slots: some may fit no worker
CLEARED: dict[str, Any] = CLEARED_PROGRESS


def next_up(kind: Worker.Kind, count: int) -> QuerySet[JobInput]:
    """The `count` inputs that workers of this kind should take next, in order."""
    latest = Attempt.objects.filter(
        job_input=OuterRef("pk"), number=OuterRef("attempt_count"), error_code=MOVED
    )
    due = in_order(kind).filter(not_before__lte=clock.now())
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


def files(waiting: Iterable[JobInput], kind: Worker.Kind) -> list[File]:
    """Return what the choice of a worker needs to know of each. A worker is avoided only where there is another."""
    open_workers = set(Worker.usable().filter(kind=kind, drain=False).values_list("pk", flat=True))
    return [_file(entry, open_workers) for entry in waiting]


def _file(entry: JobInput, open_workers: set[int]) -> File:
    avoid: int | None = getattr(entry, "avoid", None)
    return File(
        input_id=entry.pk,
        model=entry.job.model,
        seconds=entry.expected_seconds,
        size_bytes=entry.upload.size_bytes,
        wants_speakers=bool(entry.job.options.get("diarization_enabled")),
        avoid=avoid if open_workers - {avoid} else None,
    )
