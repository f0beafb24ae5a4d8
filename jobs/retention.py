"""Retention: moves sessions to Trash once they have not changed for the chosen time."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs import trash
from jobs.models import IncomingUpload, JobInput, Session
from jobs.models.sessions import RETENTION_DAYS
from jobs.statuses import ACTIVE


def sweep() -> int:
    """Move expired sessions to Trash; return how many."""
    return sum(delete(pk) for pk in list(due().values_list("pk", flat=True)))


def due() -> QuerySet[Session]:
    """Return expired sessions without running jobs and unfinished uploads."""
    now, is_over = timezone.now(), Q()
    for days in RETENTION_DAYS:
        is_over |= Q(retention_days=days, touched_at__lte=now - timedelta(days=days))
    work = JobInput.objects.filter(job__session=OuterRef("pk"), status__in=ACTIVE)
    coming = IncomingUpload.objects.filter(
        session=OuterRef("pk"), offset_bytes__lt=F("size_bytes"), expires_at__gt=now
    )
    return Session.objects.filter(is_over, ~Exists(work), ~Exists(coming), deleted_at=None)


def delete(pk: UUID) -> bool:
    """Delete one of them. Return False if it has changed in the meantime."""
    with transaction.atomic():
        session = due().select_for_update().filter(pk=pk).first()  # starting a job waits for this lock
        if session is None:
            return False
        trash.delete_session(session, f"retention of {session.retention_days} days")
    return True
