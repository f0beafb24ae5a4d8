"""The activity of a file: its events for display, oldest first."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from gpu_worker.shared.protocol import ERRORS
from jobs.api import schemas
from jobs.models import JobEvent, JobInput
from jobs.statuses import Event

KEPT = 200  # of the newest events
BACK_AND_FORTH = (Event.CLAIMED, Event.PUSHED_BACK)


def timeline(entry: JobInput) -> list[schemas.Event]:
    """Return the events of a file as pages and programs are told them, the start of its job first."""
    newest = list(entry.events.order_by("-id")[:KEPT])[::-1]
    owner = entry.job.created_by
    begun = schemas.Event(
        id="begun",
        at=entry.job.created_at.isoformat(),
        text=_("added to the queue"),
        actor=owner.get_username() if owner else "",
        code="",
        sentence="",
        times=1,
    )
    return [begun, *_folded(newest)]


def _folded(events: Sequence[JobEvent]) -> Iterator[schemas.Event]:
    """A file is offered to a busy worker repeatedly: collapse such rounds into one row with a count."""
    at = 0
    while at < len(events):
        rounds = _rounds(events, at)
        if rounds > 1:
            yield _row(events[at + 2 * rounds - 1], rounds, events[at])
            at += 2 * rounds
        else:
            yield _row(events[at], 1, events[at])
            at += 1


def _rounds(events: Sequence[JobEvent], at: int) -> int:
    """Return how many consecutive times from here the file was claimed and pushed back."""
    rounds = 0
    while tuple(event.event for event in events[at + 2 * rounds : at + 2 * rounds + 2]) == BACK_AND_FORTH:
        rounds += 1
    return rounds


def _row(event: JobEvent, times: int, first: JobEvent) -> schemas.Event:
    known = ERRORS.get(event.code)
    return schemas.Event(
        id=str(first.pk),
        at=event.at.isoformat(),
        text=str(Event(event.event).label),
        actor=event.actor,
        code=event.code,
        sentence=known.sentence if known else event.message,
        times=times,
    )
