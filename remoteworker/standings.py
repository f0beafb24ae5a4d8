"""How files stand with the workers: who has them, since when in silence, how many are ahead, how long still."""

import time
from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from jobs import media
from jobs.models import JobInput
from jobs.standings import Standing
from jobs.statuses import InputStatus
from remoteworker import queue
from remoteworker.choice import speed
from remoteworker.models import Attempt, Worker

LONG_SECONDS = 0.05  # to put the queue in order; what takes less is done for every page
AT_A_WORKER = (InputStatus.DISPATCHING, InputStatus.RUNNING)


def of(inputs: Iterable[JobInput]) -> dict[UUID, Standing]:
    """Return the standing of every input that has not ended."""
    entries = list(inputs)
    held = [entry for entry in entries if entry.status in AT_A_WORKER]
    waiting = [entry for entry in entries if entry.status == InputStatus.QUEUED]
    found = _of_held(held) if held else {}
    return found | (_of_waiting(waiting) if waiting else {})


def _of_held(held: list[JobInput]) -> dict[UUID, Standing]:
    by_pk = {entry.pk: entry for entry in held}
    attempts = Attempt.objects.filter(job_input__in=by_pk, ended_at=None).select_related(
        "worker", "job_input__job"
    )
    return {attempt.job_input_id: _of_attempt(attempt, by_pk[attempt.job_input_id]) for attempt in attempts}


def _of_attempt(attempt: Attempt, entry: JobInput) -> Standing:
    worker, since = attempt.worker, attempt.worker.unreachable_since
    pace = speed(worker.speeds, attempt.job_input.job.model, has_gpu=bool(worker.capabilities.get("gpu")))
    left = entry.expected_seconds * (1 - entry.percent / 100) / pace
    return Standing(
        last_contact_at=attempt.last_contact_at,
        unreachable_since=since,
        given_up_at=attempt.lease_until if since is not None else None,
        eta_seconds=entry.eta_seconds if entry.eta_seconds is not None else left,
    )


def _of_waiting(waiting: list[JobInput]) -> dict[UUID, Standing]:
    wanted = {entry.pk for entry in waiting}
    found: dict[UUID, Standing] = {}
    for kind in Worker.Kind:
        pace, at_work, line = _pace(kind), _at_work(kind), _line(kind)
        for pk in wanted & line.keys():
            ahead, seconds = line[pk]
            left = (at_work + seconds) / pace if pace else None
            found[pk] = Standing(files_ahead=ahead, eta_seconds=left)
    return found


Line = dict[UUID, tuple[int, float]]  # file → how many are ahead, and seconds of audio up to its end
_lines: dict[Worker.Kind, tuple[float, Line]] = {}


def _line(kind: Worker.Kind) -> Line:
    """The whole queue. It is put in order again after ten times as long as that took: many pages ask every 2 s, and
    with a hundred thousand files an order that is some seconds old is better than a busy database."""
    until, line = _lines.get(kind, (0.0, {}))
    started = time.monotonic()
    if started > until:
        line, seconds = {}, 0.0
        for ahead, (pk, known, name, size) in enumerate(_queued(kind)):
            seconds += known or media.usual_seconds(name, size)
            line[pk] = (ahead, seconds)
        took = time.monotonic() - started
        _lines[kind] = (started + 11 * took if took > LONG_SECONDS else 0.0, line)
    return line


def _queued(kind: Worker.Kind) -> Iterable[tuple[UUID, float | None, str, int]]:
    return queue.in_order(kind).values_list("pk", "audio_duration", "upload__name", "upload__size_bytes")


def _pace(kind: Worker.Kind) -> float:
    """Audio seconds a second that all workers of this kind get through together."""
    usable = [worker for worker in Worker.usable() if worker.kind == kind]
    ready = [worker for worker in usable if worker.is_connected and not worker.drain]
    return sum(
        worker.parallel * speed(worker.speeds, "", has_gpu=bool(worker.capabilities.get("gpu")))
        for worker in ready
    )


def _at_work(kind: Worker.Kind) -> float:
    """Audio seconds that workers of this kind have still to get through."""
    running = JobInput.objects.filter(
        status__in=AT_A_WORKER, attempts__ended_at=None, attempts__worker__kind=kind
    )
    rows = running.annotate(done=F("percent") / 100.0).values_list(
        "audio_duration", "upload__name", "upload__size_bytes", "done"
    )
    left = [(known or media.usual_seconds(name, size)) * (1.0 - done) for known, name, size, done in rows]
    return float(sum(left))
