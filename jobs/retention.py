"""Sessions that their owners do not keep for ever: into the trash once nothing has changed for long enough."""

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
    """Delete the sessions whose time is over, as their owners would; return how many."""
    return sum(delete(pk) for pk in list(due().values_list("pk", flat=True)))


def due() -> QuerySet[Session]:
    """Those in which nothing has changed for long enough, nothing is at work and nothing is coming in."""
    now, is_over = timezone.now(), Q()
    for days in RETENTION_DAYS:
        is_over |= Q(retention_days=days, touched_at__lte=now - timedelta(days=days))
    work = JobInput.objects.filter(job__session=OuterRef("pk"), status__in=ACTIVE)
    coming = IncomingUpload.objects.filter(
        session=OuterRef("pk"), offset_bytes__lt=F("size_bytes"), expires_at__gt=now
    )
    return Session.objects.filter(is_over, ~Exists(work), ~Exists(coming), deleted_at=None)


def delete(pk: UUID) -> bool:
    """Delete one of them. False where something has changed in it since it was looked for."""
    with transaction.atomic():
        session = due().select_for_update().filter(pk=pk).first()  # whoever starts a job waits for this lock
        if session is None:
            return False
        trash.delete_session(session, f"retention of {session.retention_days} days")
    return True
