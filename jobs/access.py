"""Access control. Objects of other people do not exist: 404, never 403."""

from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from jobs.models import (
    ApiToken,
    Delivery,
    IncomingUpload,
    Job,
    JobInput,
    Scope,
    Session,
    Upload,
    Webhook,
)

Person = AbstractBaseUser | AnonymousUser
Row = TypeVar("Row", Job, Upload)
Owned = TypeVar("Owned", ApiToken, Delivery, Webhook)


class MissingScope(Exception):
    """The token lacks a scope; the message names it."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"This token is not allowed to {scope.label} (scope “{scope.value}”).")


class ConfinedToken(Exception):
    """The token is limited to one session, and the operation concerns all."""


def act_by(token: ApiToken) -> User:
    """Return the owner of a token, restricted to what the token permits."""
    token.owner.api_token = token  # type: ignore[attr-defined]
    return token.owner


def token_of(person: Person) -> ApiToken | None:
    """Return the token that this user acts with, None if signed in on the website."""
    return getattr(person, "api_token", None)


def check_scope(person: Person, scope: Scope) -> None:
    """Raise MissingScope if the token lacks the scope. Users who are signed in on the website are not restricted."""
    token = token_of(person)
    if token and scope not in token.scopes:
        raise MissingScope(scope)


def check_unconfined(person: Person) -> None:
    """Raise ConfinedToken if the token is limited to one session."""
    token = token_of(person)
    if token and token.session_id:
        raise ConfinedToken


def sessions_of(person: Person) -> QuerySet[Session]:
    """Return the sessions that this user, or their token, may access."""
    mine, token = Session.objects.filter(owner_id=person.pk, deleted_at=None), token_of(person)
    return mine.filter(pk=token.session_id) if token and token.session_id else mine


def person_of(request: HttpRequest) -> User:
    """Return the signed-in user. Call only after sign-in has been required."""
    assert isinstance(request.user, User)
    return request.user


def can_use_session(person: Person, session: Session) -> bool:
    """Return whether this user may view and change the session and everything in it."""
    is_theirs = person.is_authenticated and session.owner_id == person.pk
    return is_theirs and not _is_confined(person, session) and session.deleted_at is None


def check_session(person: Person, session: Session) -> None:
    """Raise Http404 unless the user may access the session."""
    if not can_use_session(person, session):
        raise Http404("Session not found")


def check_job(person: Person, job: Job) -> None:
    """Raise Http404 unless the user may access the job and its results."""
    check_session(person, job.session)
    if job.deleted_at is not None:
        raise Http404("Job not found")


def find_token(person: Person, pk: UUID) -> ApiToken:
    """Return a token. Raises Http404 if it does not exist or belongs to someone else."""
    return _owned(person, ApiToken.objects.filter(pk=pk))


def find_session(person: Person, pk: UUID) -> Session:
    """Return the session. Raises Http404 if it does not exist or belongs to someone else."""
    return _found(person, Session.objects.filter(pk=pk).first())


def find_upload(person: Person, pk: UUID) -> Upload:
    """Return the upload. Raises Http404 if it does not exist or belongs to someone else."""
    return _of_session(person, Upload.objects.filter(pk=pk, deleted_at=None).select_related("session"))


def find_incoming(person: Person, pk: UUID) -> IncomingUpload:
    """Return an unfinished upload. Raises Http404 if it does not exist or belongs to someone else."""
    wanted = IncomingUpload.objects.select_related("session__owner", "upload", "duplicate_of")
    incoming = wanted.filter(pk=pk).first()
    _found(person, incoming.session if incoming else None)
    assert incoming is not None
    return incoming


def find_job(person: Person, pk: UUID) -> Job:
    """Return the job. Raises Http404 if it does not exist or belongs to someone else."""
    return _of_session(person, Job.objects.filter(pk=pk, deleted_at=None).select_related("session"))


def find_deleted_job(person: Person, pk: UUID) -> Job:
    """Return a job in Trash. Raises Http404."""
    deleted = Job.objects.exclude(deleted_at=None).filter(pk=pk)
    return _of_session(person, deleted.select_related("session"))


def find_deleted_upload(person: Person, pk: UUID) -> Upload:
    """Return a recording in Trash. Raises Http404."""
    deleted = Upload.objects.exclude(deleted_at=None).filter(pk=pk)
    return _of_session(person, deleted.select_related("session"))


def find_deleted_session(person: Person, pk: UUID) -> Session:
    """Return a session in Trash. Raises Http404."""
    session = Session.objects.filter(pk=pk, owner_id=person.pk, deleted_at__isnull=False).first()
    if session is None or _is_confined(person, session):
        raise Http404("Not found")
    return session


def find_input(person: Person, pk: UUID) -> JobInput:
    """Return the input. Raises Http404 if it does not exist or belongs to someone else."""
    wanted = JobInput.objects.filter(pk=pk, job__deleted_at=None)
    job_input = wanted.select_related("job__session", "upload").first()
    _found(person, job_input.job.session if job_input else None)
    assert job_input is not None
    return job_input


def find_webhook(person: Person, pk: UUID) -> Webhook:
    """Return the webhook. Raises Http404 if it does not exist or belongs to someone else."""
    return _owned(person, Webhook.objects.filter(pk=pk))


def find_delivery(person: Person, pk: UUID) -> Delivery:
    """Return the delivery. Raises Http404 if it does not exist or belongs to someone else."""
    return _owned(person, Delivery.objects.filter(pk=pk))


def _owned(person: Person, rows: QuerySet[Owned]) -> Owned:
    """Return the row if it is the user's own. Raises Http404."""
    row = rows.filter(owner_id=person.pk).first()
    if row is None:
        raise Http404("Not found")
    return row


def _is_confined(person: Person, session: Session) -> bool:
    """Return whether the user's token is limited to a different session."""
    token = token_of(person)
    return bool(token and token.session_id and token.session_id != session.pk)


def _of_session(person: Person, rows: "QuerySet[Row]") -> Row:
    row = rows.first()
    _found(person, row.session if row else None)
    assert row is not None
    return row


def _found(person: Person, session: Session | None) -> Session:
    if session is None:
        raise Http404("Not found")
    check_session(person, session)
    return session
