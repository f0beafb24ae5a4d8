"""One lease for all rows that one process works on at a time, and what a jump of the clock does to it."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from jobs import clock as shared
from jobs.models import SENDING, Delivery, NoticeEvent
from jobs.row_leases import RowLease
from remoteworker import clock, tasks
from remoteworker.models import ASSIGNING, BRINGING, HANDING_OVER, POLLING, Attempt, Tick, Worker

HOURS = timedelta(hours=2)
ALL = {
    "polling": POLLING,
    "handing over": HANDING_OVER,
    "bringing": BRINGING,
    "assigning": ASSIGNING,
    "sending": SENDING,
}
# Times that end with `until` and are no lease on a row: what they wait for is on another machine.
OTHERS = {("Attempt", "lease_until"), ("Worker", "busy_until")}


@pytest.fixture
def leased(
    worker: Worker, attempt: Attempt, person: User
) -> Callable[[RowLease], models.QuerySet[models.Model]]:
    """The one row of a lease's model."""
    Delivery.objects.create(owner=person, event=NoticeEvent.JOB_ENDED)
    Tick.objects.create(name="assign", at=timezone.now())
    rows: dict[type[models.Model], models.QuerySet[models.Model]] = {
        Worker: Worker.objects.filter(pk=worker.pk),
        Attempt: Attempt.objects.filter(pk=attempt.pk),
        Tick: Tick.objects.filter(name="assign"),
        Delivery: Delivery.objects.all(),
    }
    return lambda lease: rows[lease.model]


def test_every_column_that_says_until_when_is_a_lease_or_named_here() -> None:
    named = {
        (model.__name__, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.DateTimeField) and field.name.endswith("_until")
    }
    assert {(lease.model.__name__, lease.column) for lease in RowLease.EVERY} == named - OTHERS
    assert {id(lease) for lease in RowLease.EVERY} == {id(lease) for lease in ALL.values()}


@pytest.mark.parametrize("name", ALL)
def test_one_of_two_gets_it(name: str, leased: Callable[[RowLease], models.QuerySet[models.Model]]) -> None:
    lease, rows = ALL[name], leased(ALL[name])
    assert [lease.claim(rows) for _ in range(2)] == [True, False]
    assert rows.filter(lease.is_held()).exists()
    assert not rows.filter(lease.is_free()).exists()
    assert lease.renew(rows)
    lease.release(rows)
    assert not rows.filter(lease.is_held()).exists()
    assert lease.claim(rows)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("end", [timedelta(seconds=-1), HOURS])
def test_a_killed_holder_lets_go(
    end: timedelta, name: str, leased: Callable[[RowLease], models.QuerySet[models.Model]]
) -> None:
    lease, rows = ALL[name], leased(ALL[name])
    rows.update(**{lease.column: timezone.now() + end})  # hours ahead: of before the clock went back
    assert not rows.filter(lease.is_held()).exists()
    assert lease.claim(rows)


@pytest.mark.parametrize("name", ALL)
def test_who_looked_at_the_clock_before_the_winner_did_gets_nothing(
    name: str, leased: Callable[[RowLease], models.QuerySet[models.Model]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, rows = ALL[name], leased(ALL[name])
    assert lease.claim(rows)
    early = timezone.now() - timedelta(seconds=20)  # and then waited for the row
    monkeypatch.setattr(shared, "now", lambda: early)
    assert not lease.claim(rows)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("jump", [HOURS, -HOURS])
def test_a_jump_of_the_clock_takes_it_along(
    jump: timedelta,
    name: str,
    leased: Callable[[RowLease], models.QuerySet[models.Model]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease, rows = ALL[name], leased(ALL[name])
    monkeypatch.setattr(tasks, "nudge", lambda *args: None)
    clock.follow("reap")
    assert lease.claim(rows)
    before: datetime = rows.values_list(lease.column, flat=True).get()
    for module in (shared, clock):
        monkeypatch.setattr(module, "now", lambda: timezone.now() + jump)
    clock.follow("reap")
    after: datetime = rows.values_list(lease.column, flat=True).get()
    assert abs(after - before - jump) < timedelta(seconds=5)
    assert not lease.claim(rows), "whoever has it goes on"
