"""Assigns each file to the worker that is expected to finish it first. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

USUAL_SPEED = {True: 20.0, False: 2.0}  # audio seconds a second, with and without a GPU, until it is learned
LEARNING = 0.3  # the weight of the newest measurement
MIN_SPEED, MAX_SPEED = 0.01, 10_000.0


@dataclass(frozen=True)
class WorkerCandidate:
    """An available worker; `backlog` is the seconds it needs for its current files, one recording at a time."""

    worker_id: int
    free: int  # 0: it is full now
    backlog: float = 0.0
    parallel: int = 1  # recordings it recognizes at once
    speeds: Mapping[str, float] = field(default_factory=dict)  # audio seconds a second, by model
    has_gpu: bool = False
    models: frozenset[str] = frozenset()  # at hand; empty: not known
    max_bytes: int | None = None
    tells_speakers: bool = True


@dataclass(frozen=True)
class File:
    """A queued file: `seconds` of audio, known or estimated. `avoid`: the worker from which a user withdrew it."""

    input_id: UUID
    model: str
    seconds: float
    size_bytes: int = 0
    wants_speakers: bool = False
    avoid: int | None = None
    is_too_large: bool = False  # for every worker: one of them rejects it explicitly


def plan(
    files: Iterable[File], candidates: Iterable[WorkerCandidate]
) -> Iterator[tuple[File, WorkerCandidate]]:
    """Yield assignments in the order of `files` until no worker has room; files that must wait are skipped.

    `candidates` includes workers at capacity, since a file waits for one if no other is capable.
    """
    fleet = {candidate.worker_id: candidate for candidate in candidates}
    free = sum(candidate.free for candidate in fleet.values())
    for file in files:
        if not free:
            return
        best = choose(file, fleet.values())
        if best is None:
            continue
        yield file, best
        free -= 1
        fleet[best.worker_id] = replace(best, free=best.free - 1, backlog=best.backlog + takes(file, best))


def choose(file: File, candidates: Iterable[WorkerCandidate]) -> WorkerCandidate | None:
    """Return the capable worker that is expected to finish the file first; None while it is at capacity.

    A worker without the model or diarization is chosen only if all lack it: it may download the model, and notes
    in the transcript what it could not do.
    """
    fitting = [(_lacks(file, candidate), candidate) for candidate in candidates if _fits(file, candidate)]
    least = min((lacks for lacks, _box in fitting), default=None)
    able = [candidate for lacks, candidate in fitting if lacks == least]
    wanted = [candidate for candidate in able if candidate.worker_id != file.avoid] or able
    free = [candidate for candidate in wanted if candidate.free > 0]
    return min(free, key=lambda candidate: (finish(file, candidate), candidate.worker_id), default=None)


def finish(file: File, candidate: WorkerCandidate) -> float:
    """Return the seconds until this worker would finish the file."""
    return candidate.backlog / candidate.parallel + takes(file, candidate)


def takes(file: File, candidate: WorkerCandidate) -> float:
    """Return the seconds that the worker needs for the file alone."""
    return file.seconds / speed(candidate.speeds, file.model, has_gpu=candidate.has_gpu)


def speed(speeds: Mapping[str, float], model: str, *, has_gpu: bool) -> float:
    """Return audio seconds per second: measured for the model, else for its other models, else a default."""
    known = speeds.get(model) or (min(speeds.values()) if speeds else None)
    return known or USUAL_SPEED[has_gpu]


def learn(speeds: Mapping[str, float], model: str, audio_seconds: float, took: float) -> dict[str, float]:
    """Return `speeds` with one more measurement, as an exponential moving average."""
    measured = min(MAX_SPEED, max(MIN_SPEED, audio_seconds / max(took, 0.001)))
    before = speeds.get(model)
    mean = measured if before is None else before + LEARNING * (measured - before)
    return {**speeds, model: round(mean, 3)}


def _fits(file: File, candidate: WorkerCandidate) -> bool:
    return file.is_too_large or candidate.max_bytes is None or file.size_bytes <= candidate.max_bytes


def _lacks(file: File, candidate: WorkerCandidate) -> tuple[bool, bool]:
    """Return what the worker lacks for the file, most important first: without its model it may fail."""
    lacks_model = bool(candidate.models) and file.model not in candidate.models
    return lacks_model, file.wants_speakers and not candidate.tells_speakers
