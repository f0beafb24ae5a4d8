"""GET /healthz: fails if ticks have stopped, something is long overdue, or the disk is nearly full."""

import shutil
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from bulktranscribe.integrity import invariants
from gpu_worker.shared.units import MEGABYTE
from remoteworker import clock
from remoteworker.models import Tick


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 with each check "ok", or 503 with the problems."""
    now = clock.now()
    checks = {"ticks": ticks(now), "attempts": overdue(now), "disk": disk()}
    is_well = all(text == "ok" for text in checks.values())
    return JsonResponse(
        {"status": "ok" if is_well else "error", "checks": checks}, status=200 if is_well else 503
    )


def ticks(now: datetime) -> str:
    """Check that Celery beat ticks. A tick in the future does not count: the clock was set back after it."""
    last = Tick.objects.filter(name="dispatch_queued").first()
    limit = timedelta(seconds=settings.TICK_ALARM_SECONDS)
    if last is None or abs(now - last.at) > limit:
        return f"no tick for {settings.TICK_ALARM_SECONDS:g} s; check that Celery beat is running"
    return "ok"


def overdue(now: datetime) -> str:
    """Check for items that have been overdue for too long."""
    late = sum(1 for _what in invariants.overdue(now))
    return f"{late} overdue; run `manage.py check_invariants` to list them" if late else "ok"


def disk() -> str:
    """Check for free disk space."""
    free_mb = shutil.disk_usage(settings.DATA_DIR).free // MEGABYTE
    return "ok" if free_mb >= settings.MIN_FREE_DISK_MB else f"only {free_mb} MB free"
