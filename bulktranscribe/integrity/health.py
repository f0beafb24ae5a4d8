"""GET /healthz: red when the ticks have stopped, something is long overdue, or the disk is nearly full."""

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
    """Answer 200 with each check "ok", or 503 with what is wrong."""
    now = clock.now()
    checks = {"ticks": ticks(now), "attempts": overdue(now), "disk": disk()}
    is_well = all(text == "ok" for text in checks.values())
    return JsonResponse(
        {"status": "ok" if is_well else "error", "checks": checks}, status=200 if is_well else 503
    )


def ticks(now: datetime) -> str:
    """Whether Celery's beat still ticks. A tick that is to come proves nothing: the clock went back after it."""
    last = Tick.objects.filter(name="dispatch_queued").first()
    limit = timedelta(seconds=settings.TICK_ALARM_SECONDS)
    if last is None or abs(now - last.at) > limit:
        return f"no tick for {settings.TICK_ALARM_SECONDS:g} s; check that Celery beat is running"
    return "ok"


def overdue(now: datetime) -> str:
    """Whether something is overdue for so long that nobody can be looking."""
    late = sum(1 for _what in invariants.overdue(now))
    return f"{late} overdue; run `manage.py check_invariants` to list them" if late else "ok"


def disk() -> str:
    """Whether there is room for uploads."""
    free_mb = shutil.disk_usage(settings.DATA_DIR).free // MEGABYTE
    return "ok" if free_mb >= settings.MIN_FREE_DISK_MB else f"only {free_mb} MB free"
