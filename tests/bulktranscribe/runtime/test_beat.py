"""Beat ticks by a clock that nobody can set."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.apps.beat import Beat
from celery.beat import Scheduler, Service

from bulktranscribe.celery import app
from bulktranscribe.runtime import beat

HOURS = timedelta(hours=2)


class Clocks:
    """The machine's uptime, and its wall clock, which may be set."""

    def __init__(self) -> None:
        self.uptime = 50.0
        self.offset = timedelta(0)

    def wall(self) -> datetime:
        return datetime(2026, 11, 26, 12, tzinfo=UTC) + timedelta(seconds=self.uptime) + self.offset


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(app, "now", made.wall)
    monkeypatch.setattr(beat, "monotonic", lambda: made.uptime)
    return made


@pytest.fixture
def sent(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that were sent, in order."""
    names: list[str] = []
    monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer=None: names.append(entry.task))
    monkeypatch.setitem(vars(scheduler), "producer", None)
    return names


@pytest.fixture
def scheduler(clocks: Clocks, tmp_path: Path) -> Iterator[Scheduler]:
    """As every way to start beat makes it."""
    service = Service(
        app, schedule_filename=str(tmp_path / "schedule"), scheduler_cls=Beat(app=app).scheduler_cls
    )
    yield service.scheduler
    service.scheduler.close()


def run(scheduler: Scheduler, clocks: Clocks, seconds: float) -> None:
    """Let beat tick and sleep for as long as this."""
    end = clocks.uptime + seconds
    while clocks.uptime < end:
        clocks.uptime += max(scheduler.tick(), 0.001)


@pytest.mark.parametrize("jump", [-HOURS, HOURS])
def test_ticks_go_on_whatever_the_clock_is_set_to(
    jump: timedelta, scheduler: Scheduler, sent: list[str], clocks: Clocks
) -> None:
    run(scheduler, clocks, 7)
    clocks.offset = jump
    sent.clear()
    run(scheduler, clocks, 60)
    assert 29 <= sent.count("remoteworker.tasks.poll_workers") <= 31
    assert 11 <= sent.count("remoteworker.tasks.reap") <= 13


def test_everything_is_due_at_the_start_and_then_in_its_period(
    scheduler: Scheduler, sent: list[str], clocks: Clocks, settings: Any
) -> None:
    run(scheduler, clocks, 0.1)
    assert sorted(sent) == sorted(settings.CELERY_BEAT_SCHEDULE), "also what is rare: no day may be too short"
    run(scheduler, clocks, 590)
    assert sent.count("bulktranscribe.tasks.prune") == 1
    run(scheduler, clocks, 20)
    assert sent.count("bulktranscribe.tasks.prune") == 2


def test_nothing_of_beat_is_kept_on_the_disk(scheduler: Scheduler, tmp_path: Path) -> None:
    scheduler.tick()
    scheduler.sync()
    assert list(tmp_path.iterdir()) == []


def test_beat_alone_and_inside_a_worker_ticks_by_the_same_clock() -> None:
    worker = SimpleNamespace(app=app)
    app.WorkController.setup_defaults(worker)
    assert worker.scheduler == Beat(app=app).scheduler_cls == "bulktranscribe.runtime.beat:SteadyScheduler"
