"""The capacity of workers: free slots, how long a full worker is not asked, measured speed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from jobs.media import serving
from remoteworker import clock
from remoteworker.models import Attempt, Worker
from remoteworker.scheduling.scheduler import WorkerCandidate, learn, speed
from remoteworker.workers.registry import enabled_workers

LONGEST_BUSY = timedelta(seconds=300)  # that a full worker is left alone
CAREFUL = timedelta(seconds=600)  # after it: one file at a time, since nobody knows how many it takes


def candidates(kind: Worker.Kind) -> list[WorkerCandidate]:
    """Return the available workers of this kind as candidates, including those at capacity."""
    present = [
        worker
        for worker in enabled_workers()
        if worker.kind == kind and worker.is_connected and not worker.drain and worker.slots
    ]
    work = _backlogs([worker for worker in present if free_slots(worker)])
    return [
        WorkerCandidate(
            worker_id=worker.pk,
            free=free_slots(worker),
            backlog=work.get(worker.pk, 0.0),
            parallel=worker.parallel,
            speeds=worker.speeds,
            has_gpu=worker.reported.gpu,
            models=frozenset(worker.models_at_hand),
            max_bytes=worker.reported.max_bytes,
            tells_speakers=worker.reported.tells_speakers,
        )
        for worker in present
    ]


def _backlogs(workers: list[Worker]) -> dict[int, float]:
    """Return the seconds that each worker needs for its current files, by its measured speed."""
    by_pk = {worker.pk: worker for worker in workers}
    seconds = dict.fromkeys(by_pk, 0.0)
    held = Attempt.objects.filter(ended_at=None, worker__in=workers).values_list(
        "worker_id",
        "job_input__job__model",
        "job_input__percent",
        "job_input__audio_duration",
        "job_input__upload__name",
        "job_input__upload__size_bytes",
    )
    for worker_id, model, percent, known, name, size in held:
        worker = by_pk[worker_id]
        pace = speed(worker.speeds, model, has_gpu=worker.reported.gpu)
        seconds[worker_id] += (known or serving.usual_seconds(name, size)) * (1 - percent / 100) / pace
    return seconds


def free_slots(worker: Worker) -> int:
    """Return how many more inputs this worker can get now. `worker` comes from enabled_workers."""
    if worker.drain or not worker.is_connected:
        return 0
    active = int(getattr(worker, "active", 0))
    room = max(0, worker.slots - active)
    if worker.busy_until is None or not room:
        return room
    ahead = worker.busy_until - clock.now()
    if ahead < -CAREFUL:
        return room
    is_full = timedelta(0) < ahead <= LONGEST_BUSY  # further ahead: of before the clock went back
    return 0 if is_full and active >= worker.busy_with else 1


def note_busy(worker: Worker, retry_after: float) -> None:
    """Record that it is at capacity: claim nothing for it for so many seconds, or until one of its files ends.

    The delay increases with consecutive refusals: another controller may occupy it for hours.
    """
    times = Worker.objects.values_list("refusals", flat=True).get(pk=worker.pk) + 1
    seconds = max(retry_after, settings.BUSY_SECONDS * 2 ** min(times - 1, 10))
    Worker.objects.filter(pk=worker.pk).update(
        refusals=times,
        busy_until=clock.now() + min(LONGEST_BUSY, timedelta(seconds=seconds)),
        busy_with=worker.active_attempts().exclude(worker_job_id="").count(),
    )


def note_taken(worker: Worker) -> None:
    """Record that it accepted a file and may be offered another one."""
    Worker.objects.filter(pk=worker.pk, refusals__gt=0).update(refusals=0, busy_until=clock.now())


def learn_speed(attempt: Attempt, audio_seconds: float, at: datetime) -> None:
    """Record the speed of a completed attempt, from when processing was first observed.

    Without such a poll, it started when it was accepted or when the worker finished the previous one.
    """
    worker, begins = attempt.worker, [attempt.began_at or attempt.accepted_at]
    if attempt.began_at is None:
        done = worker.attempts.filter(outcome=Attempt.Outcome.COMPLETE).exclude(pk=attempt.pk)
        begins.append(done.aggregate(last=Max("ended_at"))["last"])
    took = (at - max(begin for begin in begins if begin is not None)).total_seconds() if any(begins) else 0.0
    if took <= 0 or audio_seconds <= 0:
        return
    current = Worker.objects.get(pk=worker.pk)
    speeds = learn(current.speeds, attempt.job_input.job.model, audio_seconds, took)
    Worker.objects.filter(pk=worker.pk).update(speeds=speeds)
