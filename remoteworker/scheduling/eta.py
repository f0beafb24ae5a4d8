"""Queue status and estimates of files and jobs: worker, position, remaining time, and cost."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F, Sum
from django.db.models.functions import Coalesce

from jobs.media import serving
from jobs.models import Job, JobInput
from jobs.ports import worker_capabilities
from jobs.ports.progress_estimates import Estimate, QueueStatus
from jobs.statuses import AT_A_WORKER, InputStatus
from remoteworker import clock
from remoteworker.models import Attempt, Worker
from remoteworker.scheduling import queue_snapshot
from remoteworker.scheduling.scheduler import speed

HOUR = 3600.0
WORKER_STATE = (
    *("pk", "enabled", "is_retired", "drain", "is_connected", "unreachable_since"),
    *("capacity", "price_per_hour", "speeds", "capabilities__models"),
)


def of(inputs: Iterable[JobInput]) -> dict[UUID, QueueStatus]:
    """Return the queue status of every input that has not ended."""
    entries = list(inputs)
    held = [entry for entry in entries if entry.status in AT_A_WORKER]
    waiting = [entry for entry in entries if entry.status == InputStatus.QUEUED]
    found = _of_held(held) if held else {}
    return found | (_of_waiting(waiting) if waiting else {})


def of_jobs(jobs: Iterable[Job]) -> dict[UUID, Estimate]:
    """Return when the last file of each job will be done, and the total cost of its workers."""
    wanted = list(jobs)
    has_prices = Worker.objects.filter(price_per_hour__gt=0).exists()
    spent = _spent(wanted) if has_prices else {}
    held = _held_of(wanted)
    queue_status = _of_held([entry for some in held.values() for entry in some]) if held else {}
    crews = {kind: _Crew(kind) for kind in Worker.Kind}
    found = {}
    for job in wanted:
        crew = crews[kind_of(job)]
        left = crew.seconds_left(job, held[job.pk])
        cost = spent.get(job.pk, 0.0) + left * crew.price_of_a_second(job.model) if has_prices else None
        ends = [queue_status[entry.pk].eta_seconds for entry in held[job.pk] if entry.pk in queue_status]
        found[job.pk] = Estimate(crew.until_done(job, ends), cost)
    return found


def stamp() -> str:
    """Return an opaque value that changes with the queue and the status of the workers."""
    rows = Worker.objects.order_by("pk").values_list(*WORKER_STATE)
    return f"{queue_snapshot.stamp()}-{hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:16]}"


def kind_of(job: Job) -> Worker.Kind:
    """Return the kind of worker for the job."""
    return Worker.Kind.REMOTE if worker_capabilities.runs_remotely(job.use_remote) else Worker.Kind.LOCAL


def _of_held(held: list[JobInput]) -> dict[UUID, QueueStatus]:
    by_pk = {entry.pk: entry for entry in held}
    attempts = Attempt.objects.filter(job_input__in=by_pk, ended_at=None).select_related(
        "worker", "job_input__job"
    )
    return {attempt.job_input_id: _of_attempt(attempt, by_pk[attempt.job_input_id]) for attempt in attempts}


def _of_attempt(attempt: Attempt, entry: JobInput) -> QueueStatus:
    worker, since = attempt.worker, attempt.worker.unreachable_since
    pace = speed(worker.speeds, attempt.job_input.job.model, has_gpu=worker.reported.gpu)
    left = entry.expected_seconds * (1 - entry.percent / 100) / pace
    return QueueStatus(
        last_contact_at=attempt.last_contact_at,
        unreachable_since=since,
        given_up_at=attempt.lease_until if since is not None else None,
        eta_seconds=entry.eta_seconds if entry.eta_seconds is not None else left,
    )


def _of_waiting(waiting: list[JobInput]) -> dict[UUID, QueueStatus]:
    wanted = {entry.pk for entry in waiting}
    found: dict[UUID, QueueStatus] = {}
    for kind in Worker.Kind:
        crew = _Crew(kind)
        for pk in wanted & crew.snapshot.places.keys():
            ahead, waiting_ones = crew.snapshot.places[pk]
            found[pk] = QueueStatus(files_ahead=ahead, eta_seconds=crew.time_for(waiting_ones))
    return found


class _Crew:
    """All available workers of a kind, combined."""

    def __init__(self, kind: Worker.Kind) -> None:
        self.kind = kind
        self._paces: dict[str, float] = {}

    def time_for(self, waiting: queue_snapshot.Sums) -> float | None:
        """Return the seconds needed for this queued audio; None without workers."""
        if not self._ready:
            return None
        waits = self.snapshot.by_model(waiting).items()
        return self._begun + sum(seconds / self._pace(model) for model, seconds in waits)

    def seconds_left(self, job: Job, held: list[JobInput]) -> float:
        """Return the remaining audio seconds of a job."""
        return self.snapshot.owns.get(job.pk, 0.0) + sum(map(_left_of, held))

    def until_done(self, job: Job, ends: list[float | None]) -> float | None:
        """Return the seconds until the last file of a job is done; None if it has ended or is unknown.

        `ends`: the remaining seconds of its files that are on a worker.
        """
        waiting = self.snapshot.ends.get(job.pk)
        if waiting is not None:
            return self.time_for(waiting)
        return max((seconds for seconds in ends if seconds is not None), default=None)

    @cached_property
    def snapshot(self) -> queue_snapshot.QueueSnapshot:
        """The queue for these workers, read once for any number of lookups."""
        return queue_snapshot.take(self.kind)

    def price_of_a_second(self, model: str) -> float:
        """Return the cost of a second of audio with this model while all of them work."""
        hourly = sum(float(worker.price_per_hour or 0) for worker in self._able(model))
        return hourly / HOUR / self._pace(model) if hourly else 0.0

    @cached_property
    def _ready(self) -> list[Worker]:
        return list(Worker.usable().filter(kind=self.kind, is_connected=True, drain=False))

    def _able(self, model: str) -> list[Worker]:
        """Return the workers for a model; all of them if none has it."""
        able = [worker for worker in self._ready if model in (worker.models_at_hand or [model])]
        return able or self._ready

    def _pace(self, model: str) -> float:
        """Return the combined speed in audio seconds per second."""
        if model not in self._paces:
            self._paces[model] = sum(
                worker.parallel * speed(worker.speeds, model, has_gpu=worker.reported.gpu)
                for worker in self._able(model)
            )
        return self._paces[model]

    @cached_property
    def _begun(self) -> float:
        """Return the seconds needed for started files."""
        running = JobInput.objects.filter(
            status__in=AT_A_WORKER, attempts__ended_at=None, attempts__worker__kind=self.kind
        )
        rows = running.annotate(done=F("percent") / 100.0).values_list(
            "job__model", "audio_duration", "upload__name", "upload__size_bytes", "done"
        )
        left = [
            (known or serving.usual_seconds(name, size)) * (1.0 - done) / self._pace(model)
            for model, known, name, size, done in rows
        ]
        return float(sum(left))


def _left_of(entry: JobInput) -> float:
    return entry.expected_seconds * (1 - entry.percent / 100)


def _held_of(jobs: list[Job]) -> dict[UUID, list[JobInput]]:
    """Return the files of each job that are on a worker."""
    found: dict[UUID, list[JobInput]] = defaultdict(list)
    rows = JobInput.objects.filter(job__in=jobs, status__in=AT_A_WORKER).select_related("upload")
    for entry in rows:
        found[entry.job_id].append(entry)
    return found


def _spent(jobs: list[Job]) -> dict[UUID, float]:
    """Return the cost of attempts so far; attempts that share a worker share its price."""
    workers = {worker.pk: worker for worker in Worker.objects.filter(price_per_hour__gt=0)}
    took = ExpressionWrapper(Coalesce("ended_at", clock.now()) - F("began_at"), output_field=DurationField())
    rows = Attempt.objects.filter(began_at__isnull=False, job_input__job__in=jobs)
    found: dict[UUID, float] = defaultdict(float)
    grouped = rows.order_by().values_list("job_input__job", "worker").annotate(took=Sum(took))
    for job, worker, length in grouped:
        if worker in workers:
            found[job] += _price(workers[worker], length)
    return found


def _price(worker: Worker, took: timedelta) -> float:
    hours = max(0.0, took.total_seconds()) / HOUR
    return hours * float(worker.price_per_hour or 0) / worker.parallel
