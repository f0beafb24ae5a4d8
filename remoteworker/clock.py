"""The clock that all processes share, the database's, and what is put right when it jumps."""

import logging
import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from jobs.models import JobInput, Session
from jobs.statuses import InputStatus
from remoteworker.models import Attempt, Tick, Worker

log = logging.getLogger(__name__)
JUMP_SECONDS = 10.0  # less is drift, which leases bear
REFERENCE = "clock"  # the row that every tick compares with


def now() -> datetime:
    """Return the database's time. SQLite has none of its own: it is this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # now() would stand still in a transaction
        at: datetime = cursor.fetchone()[0]
    return at


def follow(name: str) -> None:
    """Note a tick, and move what is under way along where the clock jumped since the last one.

    A jump is what the clock gained or lost against the machine's uptime, which nobody can set. Ticks of
    another machine, or from before a restart of this one, cannot be compared and are only noted. All ticks
    share one reference, which moves in the transaction of the shift: a jump counts once, and is not lost.
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
    """The clock and the uptime at one moment: a machine that sleeps between the two readings is read again."""
    while True:
        before, at, after = _uptime(), now(), _uptime()
        if after - before < 1.0:
            return at, after


def bound(attempts: QuerySet[Attempt]) -> None:
    """No lease, no deadline and no patience is ever longer than a fresh one, however often time was given back."""
    at = now()
    for name, seconds in (
        ("lease_until", settings.LEASE_SECONDS),
        ("deadline_at", settings.REMOTE_WORKER_TIMEOUT_SECONDS),
        ("outputs_due_at", settings.OUTPUTS_GRACE_SECONDS),
    ):
        longest = at + timedelta(seconds=seconds)
        attempts.filter(**{f"{name}__gt": longest}).update(**{name: longest})


def _shift(jump: timedelta) -> None:
    """Every time that a decision waits for moves with the clock: seconds stay seconds."""
    attempts = ("created_at", "sent_at", "last_contact_at", "lease_until", "outputs_due_at", "brought_until")
    workers = ("polled_until", "polled_at", "handed_until", "checked_at", "unreachable_since")
    running = Attempt.objects.filter(ended_at=None)
    running.update(**{name: F(name) + jump for name in attempts})
    accepted = running.exclude(worker_job_id="")  # the others may be sent again, word for word
    accepted.update(deadline_at=F("deadline_at") + jump)
    bound(accepted)
    Worker.objects.update(**{name: F(name) + jump for name in workers})
    JobInput.objects.filter(status=InputStatus.QUEUED).update(
        not_before=F("not_before") + jump, queued_at=F("queued_at") + jump
    )
    Session.objects.exclude(served_at=None).update(served_at=F("served_at") + jump)
    Tick.objects.exclude(held_until=None).update(held_until=F("held_until") + jump)


def _uptime() -> float:
    """Seconds since the machine started, sleep included where the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
