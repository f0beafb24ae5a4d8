"""GET /healthz: red when the ticks have stopped, something is long overdue, or the disk is nearly full."""

import shutil
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from remoteworker.models import Attempt, Tick

OVERDUE = timedelta(seconds=60)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 with each check "ok", or 503 with what is wrong."""
    now = timezone.now()
    checks = {"ticks": ticks(now), "attempts": attempts(now), "disk": disk()}
    is_well = all(text == "ok" for text in checks.values())
    return JsonResponse(
        {"status": "ok" if is_well else "error", "checks": checks}, status=200 if is_well else 503
    )


def ticks(now: datetime) -> str:
    """Whether Celery's beat still ticks."""
    last = Tick.objects.filter(name="dispatch_queued").first()
    limit = timedelta(seconds=settings.TICK_ALARM_SECONDS)
    if last is None or now - last.at > limit:
        return f"no tick for {settings.TICK_ALARM_SECONDS:g} s: is Celery with beat running?"
    return "ok"


def attempts(now: datetime) -> str:
    """Whether an attempt is past its lease for so long that nobody can be looking."""
    overdue = Attempt.objects.filter(ended_at=None, lease_until__lt=now - OVERDUE).count()
    return f"{overdue} attempts overdue" if overdue else "ok"


def disk() -> str:
    """Whether there is room for uploads."""
    free_mb = shutil.disk_usage(settings.DATA_DIR).free // 1_000_000
    return "ok" if free_mb >= settings.MIN_FREE_DISK_MB else f"only {free_mb} MB free"
