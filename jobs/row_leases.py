"""Leases on rows: one process at a time works on a row, until a time in one of its columns, or until it is killed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet

from jobs import clock

# A process may wait for a row after it has looked at the clock: by then somebody else's lease ends later than its own
# would, and is no less a lease for that.
WAITED = timedelta(seconds=60)


@dataclass(frozen=True)
class RowLease:
    """A lease on the rows of `model`: `column` is when it expires, `setting` names how many seconds it lasts.

    Each is declared once, next to its model; `EVERY` lists them all, for when the clock jumps.
    """

    model: type[models.Model]
    column: str
    setting: str
    EVERY: ClassVar[list["RowLease"]] = []

    def __post_init__(self) -> None:
        self.EVERY.append(self)

    def claim(self, rows: QuerySet[Any], **changes: Any) -> bool:
        """Acquire the lease of these rows if it is free; of several processes that try at once, exactly one succeeds.

        `changes` are other columns to set in the same UPDATE.
        """
        now = clock.now()
        return bool(rows.filter(self._is_free(now)).update(**{self.column: now + self.period}, **changes))

    def renew(self, rows: QuerySet[Any]) -> bool:
        """Extend a lease that is held; False if the rows no longer match."""
        return bool(rows.update(**{self.column: clock.now() + self.period}))

    def release(self, rows: QuerySet[Any], **changes: Any) -> None:
        """Release the lease, and set other columns in the same UPDATE."""
        rows.update(**{self.column: None}, **changes)

    def is_free(self) -> Q:
        """Whether the lease can be acquired. One that expires too far ahead was acquired before the clock went back."""
        return self._is_free(clock.now())

    def is_held(self) -> Q:
        """Whether a process holds the lease."""
        now = clock.now()
        return Q(**{f"{self.column}__gte": now, f"{self.column}__lte": self._latest(now)})

    def shift(self, jump: timedelta) -> None:
        """Move leases along with the clock, so that they last as long as before, and never longer than a new one."""
        held = self.model._default_manager.exclude(**{self.column: None})
        held.update(**{self.column: F(self.column) + jump})
        latest = clock.now() + self.period
        held.filter(**{f"{self.column}__gt": latest}).update(**{self.column: latest})

    def _is_free(self, now: datetime) -> Q:
        is_over = Q(**{f"{self.column}__lt": now}) | Q(**{f"{self.column}__gt": self._latest(now)})
        return Q(**{self.column: None}) | is_over

    def _latest(self, now: datetime) -> datetime:
        return now + self.period + WAITED

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=getattr(settings, self.setting))
