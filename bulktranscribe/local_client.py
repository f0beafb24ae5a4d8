"""The local client of the command line: the same functions as pages and API, for one user."""

from argparse import Namespace
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, close_old_connections
from django.http import Http404
from django.urls import reverse

from bulktranscribe.cli.client import (
    Changed,
    JobOptions,
    JobState,
    OnBytes,
    Refused,
    RemoteFile,
    Say,
    Source,
    Unreachable,
    unsaid,
)
from bulktranscribe.integrity import health
from bulktranscribe.sign_in import make_owner
from gpu_worker.shared.protocol import Options
from jobs import access, batches, forms
from jobs.api import session_state
from jobs.api.serializers import job_state
from jobs.models import Job, Session, Upload
from jobs.ports import worker_capabilities
from jobs.uploads import ingest
from remoteworker import clock
from review.exports import FORMATS
from review.views import downloaded, find_transcript

P = ParamSpec("P")
Answer = TypeVar("Answer")


def _asked(
    method: Callable[Concatenate["LocalClient", P], Answer],
) -> Callable[Concatenate["LocalClient", P], Answer]:
    """Convert exceptions for the command line. A watch outlives database connections."""

    @wraps(method)
    def answer(client: "LocalClient", /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        close_old_connections()
        try:
            return method(client, *args, **kwargs)
        except (ingest.UploadRefused, batches.InvalidJob) as refusal:
            raise Refused(refusal.code, refusal.message) from refusal
        except Http404 as gone:
            raise Refused("NOT_FOUND", "It was deleted, or its session was.") from gone
        except OperationalError as failure:
            raise Unreachable(f"The database is not responding: {failure}.") from failure

    return answer


class LocalClient:
    """Acts for `person` in this process; see `cli.client.Client`."""

    def __init__(self, person: User) -> None:
        self.person = person

    @classmethod
    def of(cls, said: Namespace) -> Self:
        """Return the client of the user named on the command line. Raises Refused, also for unknown formats."""
        if unknown := [name for name in said.format if name not in FORMATS]:
            raise _no_such_format(unknown[0])
        person = (
            User.objects.filter(username=said.user, is_active=True).first() if said.user else make_owner()
        )
        if person is None:
            raise Refused("NOT_FOUND", f"User not found: {said.user}.")
        return cls(person)

    @_asked
    def open_session(self, name: str, *, make: bool = True) -> str:
        session = access.sessions_of(self.person).filter(name=name).order_by("-created_at").first()
        if session is None and not make:
            raise Refused("NOT_FOUND", f"Session not found: “{name}”.")
        return str((session or Session.objects.create(owner=self.person, name=name)).pk)

    def address(self, session: str) -> str:
        return settings.CONTROLLER_BASE_URL + reverse("session", args=[session])

    @_asked
    def notice(self, session: str) -> str:
        if health.ticks(clock.now()) != "ok":
            return "Celery is not running, so jobs stay queued. Start it, for example with make up."
        return session_state.notice(self._session(session))

    @_asked
    def remote_files(self, session: str) -> list[RemoteFile]:
        rows = self._session(session).uploads.filter(deleted_at=None).order_by("-created_at", "-pk")
        return [_remote_file(row) for row in rows]

    @_asked
    def send(self, session: str, source: Source, on_bytes: OnBytes, say: Say = unsaid) -> RemoteFile:
        there = self._session(session)
        ingest.check_size(source.size)
        ingest.check_disk(source.size)
        ingest.check_quota(self.person.pk, source.size)
        try:
            upload = ingest.receive_path(there, source.path, source.relative, source.sha256)
        except ingest.OtherContent as other:
            raise Changed from other
        on_bytes(source.size)
        return _remote_file(upload)

    @_asked
    def start(self, session: str, uploads: list[str], job_options: JobOptions) -> JobState:
        there = self._session(session)
        rows = {str(row.pk): row for row in there.uploads.filter(pk__in=uploads, deleted_at=None)}
        if rows.keys() != set(uploads):
            raise Refused("UNKNOWN_UPLOAD", "A file was deleted.")
        chosen = [rows[pk] for pk in uploads]
        job = batches.create_job(
            there, chosen, _options(job_options), use_remote=job_options.use_remote, created_by=self.person
        )
        return JobState.read(job_state(job).wire())

    @_asked
    def jobs(self, session: str) -> list[JobState]:
        jobs = self._session(session).jobs.filter(deleted_at=None).order_by("-number")
        return [JobState.read(job_state(job).wire()) for job in jobs.prefetch_related("inputs__upload")]

    @_asked
    def job(self, job: str) -> JobState:
        return JobState.read(job_state(self._job(job)).wire())

    @_asked
    def cancel(self, job: str) -> None:
        batches.cancel_job(self._job(job), self.person.get_username())

    @_asked
    def export(self, file: str, format: str) -> bytes:
        if format not in FORMATS:
            raise _no_such_format(format)
        return downloaded(find_transcript(self.person, UUID(file)), format).content

    def _session(self, pk: str) -> Session:
        return access.find_session(self.person, UUID(pk))

    def _job(self, pk: str) -> Job:
        found = access.find_job(self.person, UUID(pk))
        return Job.objects.prefetch_related("inputs__upload").get(pk=found.pk)


def _remote_file(row: Upload) -> RemoteFile:
    return RemoteFile(str(row.pk), row.name, row.folder, row.size_bytes, row.sha256, is_new=not row.is_used)


def _no_such_format(name: str) -> Refused:
    return Refused("NO_SUCH_FORMAT", f"Unknown format “{name}”. Available formats: {', '.join(FORMATS)}.")


def _options(job_options: JobOptions) -> Options:
    counts = job_options.counts()
    return forms.job_options(
        {
            "speakers": counts["speakers"],
            "num_speakers": counts.get("numSpeakers"),
            "min_speakers": counts.get("minSpeakers"),
            "max_speakers": counts.get("maxSpeakers"),
            "model": job_options.model or worker_capabilities.usual_model(),
            "language": job_options.language,
        }
    )
