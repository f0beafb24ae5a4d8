"""Due deliveries: claim, send, record the outcome, and retry failures with increasing delays."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Min, QuerySet
from django.utils.translation import gettext as _

from jobs import clock
from jobs.locks import host_lock
from jobs.models import SENDING, Delivery, DeliveryStatus, NoticeEvent, Webhook
from jobs.notifications import messages
from jobs.notifications.channels import Outcome, send

log = logging.getLogger(__name__)
AT_ONCE = 8  # deliveries, each of another person: nobody's slow receiver keeps the others waiting
AT_A_TIME = 20.0  # seconds after which the next tick continues
KEPT = timedelta(days=30)
GONE = 410


@dataclass(frozen=True)
class Decision:
    """What follows from an attempt."""

    status: DeliveryStatus
    due_at: datetime | None = None
    is_gone: bool = False


def decide(event: str, attempts: int, outcome: Outcome, now: datetime) -> Decision:
    """Decide what follows from the outcome of attempt number `attempts`. Pure."""
    if outcome.is_delivered:
        return Decision(DeliveryStatus.DELIVERED)
    if outcome.status == GONE:
        return Decision(DeliveryStatus.GIVEN_UP, is_gone=True)
    if event == NoticeEvent.PING or attempts > len(settings.NOTICE_RETRY_SECONDS):
        return Decision(DeliveryStatus.GIVEN_UP)
    pause = settings.NOTICE_RETRY_SECONDS[attempts - 1]
    return Decision(DeliveryStatus.WAITING, due_at=now + timedelta(seconds=pause))


def deliver_due() -> int:
    """Send due deliveries; return the number of attempts. Only one process per host at a time."""
    tried = 0
    with host_lock("notices") as is_mine:
        end = time.monotonic() + AT_A_TIME
        while is_mine and time.monotonic() < end and (held := _claim_due()):
            with ThreadPoolExecutor(len(held)) as pool:
                for delivery, outcome in zip(held, pool.map(send, held), strict=True):
                    _note(delivery, outcome)
            tried += len(held)
    return tried


def deliver_now(delivery: Delivery) -> Delivery | None:
    """Send this delivery on request, regardless of its status; None if another one of the user is being sent."""
    if _held().filter(owner_id=delivery.owner_id).exists():
        return None
    Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.WAITING, due_at=clock.now())
    claimed = _claim(delivery.pk)
    if claimed is not None:
        _note(claimed, send(claimed))
        claimed.refresh_from_db()
    return claimed


def make_ping(hook: Webhook, person: User) -> Delivery:
    """Return a test delivery for `deliver_now`; ticks ignore it."""
    return Delivery.objects.create(
        owner=person, webhook=hook, event=NoticeEvent.PING, message=messages.of_ping(), due_at=None
    )


def prune() -> None:
    """Delete deliveries that ended a month ago."""
    old = Delivery.objects.filter(created_at__lt=clock.now() - KEPT)
    old.exclude(status=DeliveryStatus.WAITING, due_at__isnull=False).delete()


def _claim_due() -> list[Delivery]:
    """Claim the oldest due deliveries, one per user, skipping users with one in progress."""
    _give_up_disabled()
    due = Delivery.objects.filter(SENDING.is_free(), status=DeliveryStatus.WAITING, due_at__lte=clock.now())
    due = due.exclude(owner__in=_held().values("owner"))
    turns = due.order_by().values("owner").annotate(since=Min("due_at")).order_by("since")[:AT_ONCE]
    first = (due.filter(owner=turn["owner"]).order_by("due_at", "pk").first() for turn in turns)
    return [held for entry in first if entry is not None and (held := _claim(entry.pk)) is not None]


def _claim(pk: UUID) -> Delivery | None:
    """Claim a delivery for an attempt; of two processes, one succeeds. The claim of a killed process expires."""
    waiting = Delivery.objects.filter(pk=pk, status=DeliveryStatus.WAITING)
    if not SENDING.claim(waiting, tried_at=clock.now(), tries=F("tries") + 1):
        return None
    return Delivery.objects.select_related("webhook", "owner").get(pk=pk)


def _note(delivery: Delivery, outcome: Outcome) -> None:
    """Record the outcome of an attempt, unless a later one has started."""
    decision = decide(delivery.event, delivery.tries, outcome, clock.now())
    SENDING.release(
        Delivery.objects.filter(pk=delivery.pk, tries=delivery.tries),
        status=decision.status,
        due_at=decision.due_at,
        answer_status=outcome.status,
        answer_text=outcome.text,
        problem=outcome.problem,
        took_ms=outcome.took_ms,
    )
    if decision.is_gone and delivery.webhook_id is not None:
        Webhook.objects.filter(pk=delivery.webhook_id).update(is_enabled=False, is_gone=True)
    fields = {"notice": str(delivery.pk), "attempt": delivery.tries, "status": decision.status.value}
    log.info("notice", extra={**fields, "answer": outcome.status, "ms": outcome.took_ms})


def _give_up_disabled() -> None:
    off = Delivery.objects.filter(
        SENDING.is_free(), status=DeliveryStatus.WAITING, due_at__isnull=False, webhook__is_enabled=False
    )
    if off.exists():  # an UPDATE would take the lock of SQLite at every tick
        gone = list(off.values_list("pk", flat=True))
        given_up = {
            "status": DeliveryStatus.GIVEN_UP,
            "due_at": None,
            "problem": _("The webhook is disabled."),
        }
        Delivery.objects.filter(SENDING.is_free(), pk__in=gone).update(**given_up)


def _held() -> QuerySet[Delivery]:
    return Delivery.objects.filter(SENDING.is_held())
