"""Queue status and estimates of files and jobs. `remoteworker` registers the provider."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from jobs.models import Job, JobInput


@dataclass(frozen=True)
class QueueStatus:
    """The queue status of one file; None if unknown."""

    last_contact_at: datetime | None = None
    unreachable_since: datetime | None = None  # its worker does not answer
    given_up_at: datetime | None = None  # its attempt fails then, unless it responds
    files_ahead: int | None = None  # in the queue; 0: it is next
    eta_seconds: float | None = None  # until it is done, by what was learned of the workers' speed


@dataclass(frozen=True)
class Estimate:
    """The estimate for a job."""

    eta_seconds: float | None = None  # until its last file is done; None where it has ended or nobody can say
    cost: float | None = None  # of its workers, spent and to come; None where no price is set


class Provider(Protocol):
    """The registered provider."""

    def of(self, inputs: Iterable[JobInput]) -> Mapping[UUID, QueueStatus]: ...

    def of_jobs(self, jobs: Iterable[Job]) -> Mapping[UUID, Estimate]: ...

    def stamp(self) -> str: ...


class _Nobody:
    def of(self, inputs: Iterable[JobInput]) -> dict[UUID, QueueStatus]:
        return {}

    def of_jobs(self, jobs: Iterable[Job]) -> dict[UUID, Estimate]:
        return {}

    def stamp(self) -> str:
        return ""


_provider: Provider = _Nobody()
UNKNOWN = QueueStatus()
OPEN = Estimate()


def register(provider: Provider) -> None:
    """Register the provider; a module will do."""
    global _provider
    _provider = provider


def of(inputs: Iterable[JobInput]) -> Mapping[UUID, QueueStatus]:
    """Return the queue status of unfinished files, in a few queries and without contacting workers."""
    return _provider.of(inputs)


def of_jobs(jobs: Iterable[Job]) -> Mapping[UUID, Estimate]:
    """Return when each job will be done and its cost, in a few queries for any number of jobs."""
    return _provider.of_jobs(jobs)


def stamp() -> str:
    """Return an opaque value that changes when the other functions would return something different."""
    return _provider.stamp()
