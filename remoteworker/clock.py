"""Corrects stored times when the shared clock of the database jumps."""

import logging
import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from jobs.clock import now as now
from jobs.models import Delivery, DeliveryStatus, Job, JobInput, Session
from jobs.row_leases import RowLease
from jobs.statuses import InputStatus
from remoteworker.models import Attempt, Tick, Worker

log = logging.getLogger(__name__)
JUMP_SECONDS = 10.0  # less is drift, which leases bear
REFERENCE = "clock"  # the row that every tick compares with


def follow(name: str) -> None:
    """Record a tick, and shift stored times if the clock has jumped since the last one.

    A jump is the difference between the clock and the machine's uptime, which cannot be set. Ticks of another
    machine, or from before a restart, cannot be compared and are only recorded. All ticks share one reference,
    which is updated in the transaction of the shift: a jump counts exactly once.
    """
    at, uptime = _both()
    Tick.objects.update_or_create(name=name, defaults={"at": at})
    seen = {"at": at, "uptime": uptime, "boot_id": _boot_id()}
    Tick.objects.get_or_create(name=REFERENCE, defaults=seen)
    with transaction.atomic():
        before = Tick.objects.select_for_update().get(name=REFERENCE)
        Tick.objects.filter(name=REFERENCE).update(**seen)
        if before.uptime is None or before.boot_id != _boot_id():
            return
        jump = (at - before.at) - timedelta(seconds=uptime - before.uptime)
        if abs(jump.total_seconds()) > JUMP_SECONDS:
            log.warning("the clock jumped", extra={"seconds": round(jump.total_seconds(), 1)})
            _shift(jump)


def _both() -> tuple[datetime, float]:
    """Return clock and uptime of one moment; if the machine is suspended in between, read again."""
    while True:
        before, at, after = _uptime(), now(), _uptime()
        if after - before < 1.0:
            return at, after


def bound(attempts: QuerySet[Attempt]) -> None:
    """Limit leases, deadlines, and grace periods to the length of fresh ones, however often they were extended."""
    at, waiting = now(), attempts.filter(began_at=None)
    limits = [
        ("lease_until", settings.LEASE_SECONDS, attempts),
        ("deadline_at", settings.REMOTE_WORKER_TIMEOUT_SECONDS, attempts.exclude(began_at=None)),
        ("outputs_due_at", settings.OUTPUTS_GRACE_SECONDS, attempts),
    ]
    for worker in Worker.objects.filter(pk__in=waiting.values("worker")):
        seconds = worker.seconds_for_a_file(worker.active_attempts().count() - 1)
        limits.append(("deadline_at", seconds, waiting.filter(worker=worker)))
    for name, seconds, which in limits:
        _cap(which, at + timedelta(seconds=seconds), name)


def _shift(jump: timedelta) -> None:
    """Shift all stored times with the clock, so that durations are preserved.

    Some were written between the jump and this tick; none may end up later than possible.
    """
    at = now()
    attempts = ("created_at", "sent_at", "last_contact_at", "lease_until", "outputs_due_at")
    workers = ("polled_at", "checked_at", "unreachable_since", "busy_until")
    Job.lock_all(Job.objects.filter(ended_at=None))
    running = Attempt.objects.filter(ended_at=None)
    running.update(**{name: F(name) + jump for name in attempts})
    accepted = running.exclude(worker_job_id="")  # the others may be sent again, word for word
    accepted.update(deadline_at=F("deadline_at") + jump)
    bound(accepted)
    _cap(running, at, "created_at", "sent_at", "last_contact_at")
    Worker.objects.update(**{name: F(name) + jump for name in workers})
    queued = JobInput.objects.filter(status=InputStatus.QUEUED)
    queued.update(queued_at=F("queued_at") + jump)
    Session.objects.exclude(served_at=None).update(served_at=F("served_at") + jump)
    _cap(queued, at, "queued_at")
    _cap(Session.objects.all(), at, "served_at")
    notices = Delivery.objects.filter(status=DeliveryStatus.WAITING)
    if jump < timedelta(0):  # what was put off is over early after a jump ahead: better than two hours late
        queued.update(not_before=F("not_before") + jump)
        notices.update(due_at=F("due_at") + jump)
    for lease in RowLease.EVERY:
        lease.shift(jump)


def _cap(rows: QuerySet[Any, Any], latest: datetime, *names: str) -> None:
    for name in names:
        rows.filter(**{f"{name}__gt": latest}).update(**{name: latest})


def _uptime() -> float:
    """Return seconds since boot, including suspended time if the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
