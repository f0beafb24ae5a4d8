"""How far people are with the transcripts of files, as pages tell it. `review` registers the provider."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from jobs.models import JobInput, Session


@dataclass(frozen=True)
class Review:
    """What is known of one transcript."""

    status: str  # new, in_review, second_look, done
    status_text: str
    doubtful: int  # places that somebody should look at
    reviewer: str | None


class Provider(Protocol):
    """Who knows it."""

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
    """Name who answers; a module will do."""
    global _provider
    _provider = provider


def of(inputs: Iterable[JobInput]) -> dict[UUID, Review]:
    """Return the review of each file that has a transcript; one query, however many files."""
    return _provider.of(inputs)


def done(sessions: Iterable[UUID]) -> dict[UUID, int]:
    """Return for sessions how many of their recordings people are done with; one query."""
    return _provider.done(sessions)


def counts(session: Session) -> dict[str, int]:
    """Return how many transcripts of a session are in each review status."""
    return _provider.counts(session)


def where(statuses: Iterable[str]) -> Q:
    """Return what is true of inputs whose transcript is in one of these review statuses."""
    return _provider.where(statuses)
