"""A Celery beat scheduler based on the machine's uptime: setting the clock does not stop it, and it keeps no state.

Celery's own scheduler stores when each task ran in wall-clock time on disk. If the clock is set back by two hours, it
sends nothing for two hours, even after restarts; but the ticks are what corrects stored times after a clock change.
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
    """Return an arbitrary time that advances with the uptime."""
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
    """Keeps the schedule in memory instead of a file."""

    Entry = SteadyEntry


def _steady(period: BaseSchedule | float, app: Celery | None) -> BaseSchedule:
    if isinstance(period, BaseSchedule):
        return period
    return schedule(period, nowfun=steady_now, app=app)
