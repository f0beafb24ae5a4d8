"""Celery's beat by the machine's uptime: no clock that is set stops the ticks, and nothing of them is kept.

Celery's own notes when each task ran in the time of the wall clock, also on the disk. Set back by two hours, it sends
nothing for two hours, however often it is started again; and what puts right times that jumped is done by ticks.
"""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import BaseSchedule, schedule

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)  # any: only differences count
LONG_AGO = ORIGIN - timedelta(days=365)  # at the start all is due: a prune must not wait for a long day


def steady_now() -> datetime:
    """Return a time that goes on as the uptime does, of no day in particular."""
    return ORIGIN + timedelta(seconds=monotonic())


class SteadyEntry(ScheduleEntry):
    """A task and its period in seconds."""

    def __init__(
        self,
        *,
        schedule: BaseSchedule | float,
        last_run_at: datetime | None = None,
        app: Celery | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(
            schedule=_steady(schedule, app), last_run_at=last_run_at or LONG_AGO, app=app, **fields
        )


class SteadyScheduler(Scheduler):
    """Keeps in memory what Celery's own keeps in a file."""

    Entry = SteadyEntry


def _steady(period: BaseSchedule | float, app: Celery | None) -> BaseSchedule:
    if isinstance(period, BaseSchedule):
        return period
    return schedule(period, nowfun=steady_now, app=app)
