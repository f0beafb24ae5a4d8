"""A cached snapshot of the ordered queue for a kind of worker."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID

from jobs.media import serving
from jobs.models import JobEvent
from remoteworker.models import Worker
from remoteworker.scheduling import queue

Sums = tuple[float, ...]  # by model, in the order of `QueueSnapshot.models`, later ones left out
LONG_SECONDS = 0.05  # to put the queue in order; what takes less is done for every page


@dataclass
class QueueSnapshot:
    """The queued files, next one first. Audio seconds are grouped by model, since speeds differ."""

    models: list[str] = field(default_factory=list)
    places: dict[UUID, tuple[int, Sums]] = field(default_factory=dict)  # file: how many ahead, up to its end
    ends: dict[UUID, Sums] = field(default_factory=dict)  # job: up to the end of its last file
    owns: dict[UUID, float] = field(default_factory=dict)  # job: seconds of its own files

    def by_model(self, sums: Sums) -> dict[str, float]:
        """Name the models of these sums."""
        return dict(zip(self.models, sums, strict=False))


_snapshots: dict[Worker.Kind, tuple[float, int, QueueSnapshot]] = {}


def take(kind: Worker.Kind) -> QueueSnapshot:
    """Return the queue, refreshed after ten times the duration of the query: many pages poll every 2 s, and with a
    hundred thousand files, an order that is a few seconds old is better than a busy database."""
    until, _event, found = _snapshots.get(kind, (0.0, 0, QueueSnapshot()))
    started = monotonic()
    if started > until:
        event, found = last_event(), _ordered(kind)
        took = monotonic() - started
        _snapshots[kind] = (started + 11 * took if took > LONG_SECONDS else 0.0, event, found)
    return found


def forget() -> None:
    """Let no queue be kept: the next question puts it in order."""
    _snapshots.clear()


def stamp() -> str:
    """Return an opaque value that changes with every status change of a file or refresh of a snapshot."""
    now, latest = monotonic(), last_event()
    kept = [event for until, event, _snapshot in _snapshots.values() if now <= until]
    return f"{min([latest, *kept])}"


def last_event() -> int:
    """Return the number of the latest status change of any file."""
    return JobEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _ordered(kind: Worker.Kind) -> QueueSnapshot:
    found, seconds = QueueSnapshot(), dict[str, float]()
    for ahead, (pk, job, model, known, name, size) in enumerate(_queued(kind)):
        own = known or serving.usual_seconds(name, size)
        seconds[model] = seconds.get(model, 0.0) + own
        found.ends[job] = sums = tuple(seconds.values())
        found.places[pk] = (ahead, sums)
        found.owns[job] = found.owns.get(job, 0.0) + own
    found.models = list(seconds)
    return found


def _queued(kind: Worker.Kind) -> Iterable[tuple[UUID, UUID, str, float | None, str, int]]:
    return queue.in_order(kind).values_list(
        "pk", "job_id", "job__model", "audio_duration", "upload__name", "upload__size_bytes"
    )
