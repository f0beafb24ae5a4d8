"""Trash: deleted items can be restored for a while and are then permanently deleted, including their files."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from jobs import batches
from jobs.api.schemas import Deleted
from jobs.models import IncomingUpload, Job, JobInput, ResultFile, Session, Upload
from jobs.ports import partial_results
from jobs.statuses import ACTIVE
from jobs.uploads import ingest

log = logging.getLogger(__name__)
SHOWN = 50
AT_ONCE = 100  # jobs or files, to a transaction


class StillUsed(Exception):
    """The file is part of a job; delete that first."""


def delete_job(job: Job, actor: str, *, with_recordings: bool) -> None:
    """Move a job and its transcripts to Trash; running files are canceled.

    `with_recordings`: also its recordings that no other job uses. The others become new files again.
    """
    now = timezone.now()
    with transaction.atomic():
        _lock(job)
        Job.objects.filter(pk=job.pk, deleted_at=None).update(deleted_at=now)
        _note_use(job)
        if with_recordings:
            Upload.objects.filter(is_used=False, inputs__job=job, deleted_at=None).update(deleted_at=now)
        Session.note_change(pk=job.session_id, touched_at=now)
    batches.cancel_job(job, actor)  # last: what another tab starts again meanwhile is canceled too
    log.info("job deleted", extra={"job": str(job.pk), "by": actor, "recordings": with_recordings})


def restore_job(job: Job) -> None:
    """Restore a deleted job with its recordings. Raises UploadRefused if there is no room for these anymore."""
    with ingest.within_quota(job.session.owner_id):
        _lock(job)
        Job.objects.filter(pk=job.pk).update(deleted_at=None)
        Upload.objects.filter(inputs__job=job).update(deleted_at=None)
        _note_use(job)
        Session.note_change(pk=job.session_id, touched_at=timezone.now())


def delete_upload(upload: Upload) -> None:
    """Move a recording to Trash. Raises StillUsed if a job uses it."""
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=upload.session_id)  # no job is made of it meanwhile
        if not Upload.objects.filter(pk=upload.pk, is_used=False).update(deleted_at=timezone.now()):
            raise StillUsed
        Session.note_change(pk=upload.session_id, touched_at=timezone.now())


def restore_upload(upload: Upload) -> None:
    """Restore a deleted recording. Raises UploadRefused if there is no room for it anymore."""
    with ingest.within_quota(upload.session.owner_id):
        Upload.objects.filter(pk=upload.pk).update(deleted_at=None)
        Session.note_change(pk=upload.session_id, touched_at=timezone.now())


def delete_session(session: Session, actor: str) -> None:
    """Move a session and everything in it to Trash; running files are canceled."""
    Session.note_change(pk=session.pk)
    Session.objects.filter(pk=session.pk, deleted_at=None).update(deleted_at=timezone.now())
    for job in session.jobs.filter(inputs__status__in=ACTIVE).distinct():  # from now on none is added
        batches.cancel_job(job, actor)
    log.info("session deleted", extra={"session": str(session.pk), "by": actor})


def restore_session(session: Session) -> None:
    """Restore a deleted session. Raises UploadRefused if there is no room for its files anymore.

    Restoring counts as a change, so the retention period starts again.
    """
    with ingest.within_quota(session.owner_id):
        Session.objects.filter(pk=session.pk).update(deleted_at=None, touched_at=timezone.now())


def contents(session: Session) -> list[Deleted]:
    """Return the restorable items of a session, most recently deleted first."""
    jobs = list(session.jobs.filter(deleted_at__isnull=False).order_by("-deleted_at")[:SHOWN])
    uploads = list(_alone(session.uploads.filter(deleted_at__isnull=False)).order_by("-deleted_at")[:SHOWN])
    found = [(job.deleted_at, "job", _("Job %(n)s") % {"n": job.number}, job.pk) for job in jobs]
    found += [(file.deleted_at, "upload", file.name, file.pk) for file in uploads]
    found.sort(key=lambda one: str(one[0]), reverse=True)
    return [
        Deleted(id=str(pk), kind=kind, text=text, until=_until(at)) for at, kind, text, pk in found[:SHOWN]
    ]


def sessions(person: User) -> list[dict[str, Any]]:
    """Return the restorable sessions of a user, most recently deleted first."""
    theirs = (
        Session.objects.filter(owner=person).filter(deleted_at__isnull=False).order_by("-deleted_at")[:SHOWN]
    )
    return [{"id": one.pk, "name": one.name, "until": _until(one.deleted_at)} for one in theirs]


def _until(at: Any) -> str:
    return str((at + timedelta(seconds=settings.TRASH_SECONDS)).isoformat(timespec="seconds"))


def purge() -> int:
    """Permanently delete expired items; return the numbers of sessions, jobs, and files."""
    past = timezone.now() - timedelta(seconds=settings.TRASH_SECONDS)
    gone = _purge_jobs(Job.objects.filter(deleted_at__lte=past))
    gone += _purge_uploads(Upload.objects.filter(deleted_at__lte=past))
    for session in Session.objects.filter(deleted_at__lte=past):
        purge_all_of(session)
        gone += 1
    return gone


def empty(session: Session) -> int:
    """Permanently delete the items in Trash of a session now; return the numbers of jobs and files."""
    gone = _purge_jobs(session.jobs.filter(deleted_at__isnull=False))
    gone += _purge_uploads(session.uploads.filter(deleted_at__isnull=False))
    Session.note_change(pk=session.pk)
    return gone


def purge_all_of(session: Session) -> None:
    """Permanently delete a session and everything in it."""
    _purge_jobs(session.jobs.all())
    _purge_uploads(session.uploads.all())
    arriving = [entry.path for entry in IncomingUpload.objects.filter(session=session)]
    session.delete()
    _unlink(arriving)


def _purge_jobs(jobs: QuerySet[Job]) -> int:
    gone = 0
    for pks in _parts(jobs):
        with transaction.atomic():
            files = ResultFile.objects.filter(result__job_input__job__in=pks)
            paths = [*(file.absolute_path for file in files), *partial_results.paths(pks)]
            gone += Job.objects.filter(pk__in=pks).delete()[1].get("jobs.Job", 0)
            transaction.on_commit(partial(_unlink, paths))
    return gone


def _purge_uploads(uploads: QuerySet[Upload]) -> int:
    """Uploads that a job still uses remain until that job is deleted."""
    gone = 0
    for pks in _parts(_alone(uploads)):
        with transaction.atomic():
            rows = Upload.objects.filter(pk__in=pks).select_related("playable")
            paths = [path for upload in rows for path in _paths_of(upload)]
            gone += Upload.objects.filter(pk__in=pks).delete()[1].get("jobs.Upload", 0)
            transaction.on_commit(partial(_unlink, paths))
    return gone


def _parts(rows: QuerySet[Any]) -> Iterable[list[Any]]:
    pks = list(rows.order_by().values_list("pk", flat=True))
    return (pks[first : first + AT_ONCE] for first in range(0, len(pks), AT_ONCE))


def _lock(job: Job) -> None:
    """Lock the job, then its files, against status changes and new jobs until the transaction ends."""
    Job.lock(job.pk)
    Session.objects.select_for_update().get(pk=job.session_id)


def _note_use(job: Job) -> None:
    """Update which files of a job are still used. Call after writing the job's `deleted_at`."""
    has_job = Exists(JobInput.objects.filter(upload=OuterRef("pk"), job__deleted_at=None))
    Upload.objects.filter(inputs__job=job).update(is_used=has_job)


def _alone(uploads: QuerySet[Upload]) -> QuerySet[Upload]:
    """Return the uploads without any job, including deleted jobs."""
    return uploads.filter(~Exists(JobInput.objects.filter(upload=OuterRef("pk"))))


def _paths_of(upload: Upload) -> list[Path]:
    copy = getattr(upload, "playable", None)
    return [upload.path, *([copy.path] if copy else [])]


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
