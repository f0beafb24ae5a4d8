"""The queue order: sessions take turns, oldest file first, jobs with a higher priority before all others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber

from jobs.batches import CLEARED_PROGRESS
from jobs.models import Job, JobInput
from jobs.statuses import ACTIVE_JOBS, InputStatus
from remoteworker import clock
from remoteworker.models import Attempt, Worker
from remoteworker.scheduling.scheduler import File, WorkerCandidate, choose
from remoteworker.workers import registry

MOVED = "MOVED"  # the code of an attempt that a person took away
PASSED_OVER = 50  # files looked at beyond the free slots: some may fit no worker
NOBODY = UUID(int=0)
CLEARED: dict[str, Any] = CLEARED_PROGRESS


@dataclass(frozen=True)
class Limits:
    """File size limits in bytes for workers with `room` now and for `any` worker; None: unlimited.

    Also which files wait for workers at capacity: those for the models in `held`, and for models in `mute` if
    speakers are to be identified; but not files larger than `full`, which may be too large for them.
    """

    room: int | None = None
    any: int | None = None
    held: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()
    full: int | None = None

    @classmethod
    def of(cls, kind: Worker.Kind, candidates: Sequence[WorkerCandidate]) -> "Limits":
        """Return the limits for these candidates and for all known workers of the kind."""
        known = [worker for worker in Worker.usable().filter(kind=kind) if worker.capabilities]
        full = [candidate for candidate in candidates if not candidate.free]
        models = _models(kind) if full else set()
        held = _held(models, candidates, wants_speakers=False)
        return cls(
            room=_largest(candidate.max_bytes for candidate in candidates if candidate.free),
            any=_largest(worker.reported.max_bytes for worker in known),
            held=held,
            mute=_held(models - held, candidates, wants_speakers=True),
            full=min(
                (candidate.max_bytes for candidate in full if candidate.max_bytes is not None), default=None
            ),
        )

    def is_too_large(self, size_bytes: int) -> bool:
        return self.any is not None and size_bytes > self.any

    def takeable(self) -> Q:
        """Return a filter for files that a worker with room can process. Files too large for all workers are included,
        so that one rejects them explicitly."""
        return self._fits() & self._waits_for_nobody()

    def _fits(self) -> Q:
        if self.room is None:
            return Q()
        fits = Q(upload__size_bytes__lte=self.room)
        return fits | Q(upload__size_bytes__gt=self.any) if self.any is not None else fits

    def _waits_for_nobody(self) -> Q:
        if not self.held and not self.mute:
            return Q()
        wants = "job__options__diarization_enabled"
        needs_no_telling = Q(**{wants: False}) | Q(**{f"{wants}__isnull": True})
        free = ~Q(job__model__in=self.held) & (~Q(job__model__in=self.mute) | needs_no_telling)
        return free | Q(upload__size_bytes__gt=self.full) if self.full is not None else free


def _models(kind: Worker.Kind) -> set[str]:
    """Return the models that queued files use."""
    jobs = Job.objects.filter(status__in=ACTIVE_JOBS, use_remote__in=_toggles(kind))
    return set(jobs.order_by().values_list("model", flat=True).distinct())


def _held(
    models: Iterable[str], candidates: Sequence[WorkerCandidate], *, wants_speakers: bool
) -> frozenset[str]:
    """Return the models whose files wait for a worker at capacity."""
    files = (File(NOBODY, model, 0.0, wants_speakers=wants_speakers) for model in models)
    return frozenset(file.model for file in files if choose(file, candidates) is None)


def _toggles(kind: Worker.Kind) -> list[bool]:
    """Return the toggle values of jobs for workers of this kind."""
    return [remote for remote in (False, True) if registry.kind_for(remote) == kind]


def next_up(kind: Worker.Kind, count: int, limits: Limits = Limits()) -> QuerySet[JobInput]:
    """The `count` inputs that workers of this kind should take next, in order."""
    latest = Attempt.objects.filter(
        job_input=OuterRef("pk"), number=OuterRef("attempt_count"), error_code=MOVED
    )
    is_due = Q(not_before=None) | Q(not_before__lte=clock.now())
    due = in_order(kind).filter(limits.takeable(), is_due)
    return due.select_related("job", "upload").annotate(avoid=Subquery(latest.values("worker_id")[:1]))[
        :count
    ]


def in_order(kind: Worker.Kind) -> QuerySet[JobInput]:
    """Return all inputs queued for workers of this kind, next one first."""
    oldest_first = [F("queued_at").asc(), F("position").asc(), F("pk").asc()]
    turn = Window(RowNumber(), partition_by=[F("job__session_id"), F("job__priority")], order_by=oldest_first)
    return (
        JobInput.objects.filter(status=InputStatus.QUEUED, job__use_remote__in=_toggles(kind))
        .annotate(turn=turn)
        .order_by(
            "-job__priority",
            "turn",
            F("job__session__served_at").asc(nulls_first=True),
            *oldest_first,
        )
    )


def files(waiting: Iterable[JobInput], limits: Limits) -> list[File]:
    """Return what the scheduler needs to know about each."""
    return [
        File(
            input_id=entry.pk,
            model=entry.job.model,
            seconds=entry.expected_seconds,
            size_bytes=entry.upload.size_bytes,
            wants_speakers=bool(entry.job.options.get("diarization_enabled")),
            avoid=getattr(entry, "avoid", None),
            is_too_large=limits.is_too_large(entry.upload.size_bytes),
        )
        for entry in waiting
    ]


def _largest(limits: Iterable[int | None]) -> int | None:
    """Return the largest limit, None if one is unlimited or there is none."""
    known = list(limits)
    return None if None in known else max((limit for limit in known if limit is not None), default=None)
