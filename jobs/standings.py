"""How files that have not ended stand with the workers, as pages tell it. `remoteworker` registers the provider."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from jobs.models import JobInput


@dataclass(frozen=True)
class Standing:
    """What is known of one file beyond its row; None where there is nothing to say."""

    last_contact_at: datetime | None = None
    unreachable_since: datetime | None = None  # its worker does not answer
    given_up_at: datetime | None = None  # and will be given up then, unless it does
    files_ahead: int | None = None  # in the queue; 0: it is next
    eta_seconds: float | None = None  # until it is done, by what was learned of the workers' speed


Provider = Callable[[Iterable[JobInput]], dict[UUID, Standing]]
_provider: Provider = lambda inputs: {}  # noqa: E731 - replaced by `register`
UNKNOWN = Standing()


def register(provider: Provider) -> None:
    """Name the function that answers `of`."""
    global _provider
    _provider = provider


def of(inputs: Iterable[JobInput]) -> dict[UUID, Standing]:
    """Return the standing of each file that has not ended; a few queries, however many files, and no worker asked."""
    return _provider(inputs)
