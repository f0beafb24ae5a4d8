"""Rows that one process works on at a time: a column says until when, and a killed process lets go by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, QuerySet

from jobs import clock


@dataclass(frozen=True)
class RowLease:
    """A lease on rows of `model`: `column` is its end, `setting` names how many seconds it lasts.

    Declared once, beside the model; `EVERY` has them all, for the clock when it jumps.
    """

    model: type[models.Model]
    column: str
    setting: str
    EVERY: ClassVar[list["RowLease"]] = []

    def __post_init__(self) -> None:
        self.EVERY.append(self)

    def claim(self, rows: QuerySet[Any], **changes: Any) -> bool:
        """Take the lease of these rows where it is free; of several that want it at once exactly one gets it.

        `changes` are other columns to set in the same UPDATE.
        """
        now = clock.now()
        return bool(rows.filter(self._is_free(now)).update(**{self.column: now + self.period}, **changes))

    def renew(self, rows: QuerySet[Any]) -> bool:
        """Begin the lease that one holds anew; False where these rows are gone."""
        return bool(rows.update(**{self.column: clock.now() + self.period}))

    def release(self, rows: QuerySet[Any], **changes: Any) -> None:
        """Let go, and set other columns with it."""
        rows.update(**{self.column: None}, **changes)

    def is_free(self) -> Q:
        """Whether nobody has the lease. One that ends later than any can is of before the clock went back."""
        return self._is_free(clock.now())

    def is_held(self) -> Q:
        """Whether somebody has the lease."""
        now = clock.now()
        return Q(**{f"{self.column}__gte": now, f"{self.column}__lte": now + self.period})

    def shift(self, jump: timedelta) -> None:
        """The clock has jumped: who holds the lease has it for as long as before, and never longer than it lasts."""
        held = self.model._default_manager.exclude(**{self.column: None})
        held.update(**{self.column: F(self.column) + jump})
        latest = clock.now() + self.period
        held.filter(**{f"{self.column}__gt": latest}).update(**{self.column: latest})

    def _is_free(self, now: datetime) -> Q:
        is_over = Q(**{f"{self.column}__lt": now}) | Q(**{f"{self.column}__gt": now + self.period})
        return Q(**{self.column: None}) | is_over

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=getattr(settings, self.setting))
