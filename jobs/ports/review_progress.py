"""Review progress of transcripts. `review` registers the provider."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from jobs.models import JobInput, Session


@dataclass(frozen=True)
class Review:
    """The review of one transcript."""

    status: str  # new, in_review, second_look, done
    status_text: str
    doubtful: int  # number of flagged segments
    reviewer: str | None


class Provider(Protocol):
    """The registered provider."""

    def of(self, inputs: Iterable[JobInput]) -> dict[UUID, Review]: ...

    def done(self, sessions: Iterable[UUID]) -> dict[UUID, int]: ...

    def counts(self, session: Session) -> dict[str, int]: ...

    def where(self, statuses: Iterable[str]) -> Q: ...


class _Nobody:
    def of(self, inputs: Iterable[JobInput]) -> dict[UUID, Review]:
        return {}

    def done(self, sessions: Iterable[UUID]) -> dict[UUID, int]:
        return {}

    def counts(self, session: Session) -> dict[str, int]:
        return {}

    def where(self, statuses: Iterable[str]) -> Q:
        return Q(pk__in=[])


_provider: Provider = _Nobody()


def register(provider: Provider) -> None:
    """Register the provider; a module will do."""
    global _provider
    _provider = provider


def of(inputs: Iterable[JobInput]) -> dict[UUID, Review]:
    """Return the review of each file with a transcript, in one query."""
    return _provider.of(inputs)


def done(sessions: Iterable[UUID]) -> dict[UUID, int]:
    """Return the number of reviewed recordings per session, in one query."""
    return _provider.done(sessions)


def counts(session: Session) -> dict[str, int]:
    """Return how many transcripts of a session are in each review status."""
    return _provider.counts(session)


def where(statuses: Iterable[str]) -> Q:
    """Return a filter for inputs whose transcript has one of these review statuses."""
    return _provider.where(statuses)
