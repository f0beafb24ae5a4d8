"""The registered workers: rows created from the settings, which of them are in use, and a client for each."""

import logging
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from jobs.ports.worker_capabilities import runs_remotely
from remoteworker.models import Attempt, Worker
from remoteworker.workers.client import WorkerClient

log = logging.getLogger(__name__)


def sync_from_settings() -> None:
    """Create rows for the workers in the settings; disable those no longer listed."""
    named: set[str] = set()
    if settings.LOCAL_WORKER_TOKEN:
        _ensure(settings.LOCAL_WORKER_URL, Worker.Kind.LOCAL, settings.LOCAL_WORKER_TOKEN)
        named.add(settings.LOCAL_WORKER_URL)
    for url in settings.REMOTE_WORKER_URL:
        _ensure(url, Worker.Kind.REMOTE, settings.REMOTE_WORKER_TOKEN)
        named.add(url)
    gone = Worker.objects.filter(from_settings=True, is_retired=False).exclude(url__in=named)
    gone.update(is_retired=True, is_connected=False)


def _ensure(url: str, kind: Worker.Kind, token: str) -> None:
    """Create or update one row, keeping changes from admin (disabled, drained, manually added)."""
    worker = Worker.objects.filter(url=url).first()
    if worker is None:
        worker = Worker(url=url, from_settings=True, name=_free_name(url, kind))
    elif not worker.from_settings or (worker.token, worker.kind, worker.is_retired) == (token, kind, False):
        return
    worker.kind, worker.token, worker.is_retired = kind, token, False
    try:
        with transaction.atomic():
            worker.save()
    except IntegrityError:
        log.info("worker row made by another process", extra={"worker": worker.name})


def _free_name(url: str, kind: Worker.Kind) -> str:
    parts = urlsplit(url)
    name = "local" if kind == Worker.Kind.LOCAL else f"{parts.hostname}:{parts.port or parts.scheme}"
    return name if not Worker.objects.filter(name=name).exists() else f"{name} ({url})"[:200]


def client_of(worker: Worker) -> WorkerClient:
    """Return a client for this worker."""
    return WorkerClient(worker.url, worker.token)


def enabled_workers() -> QuerySet[Worker]:
    """Return the enabled workers with the counts of `active` attempts and `pending` cancellations, in one query."""
    return Worker.usable().annotate(
        active=_count(Attempt.objects.filter(ended_at=None)),
        pending=_count(Attempt.objects.filter(cancel_pending=True)),
    )


def _count(attempts: QuerySet[Attempt]) -> Coalesce:
    """Count in a separate subquery, so that the partial index is used and ended attempts cost nothing."""
    of_worker = attempts.filter(worker=OuterRef("pk")).order_by().values("worker")
    return Coalesce(Subquery(of_worker.annotate(n=Count("pk")).values("n")), 0)


def kind_for(use_remote: bool) -> Worker.Kind:
    """Return the kind of worker for a job."""
    return Worker.Kind.REMOTE if runs_remotely(use_remote) else Worker.Kind.LOCAL
