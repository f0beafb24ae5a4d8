"""Who may see or change what. A thing of another person does not exist: 404, never 403."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import Http404, HttpRequest

from jobs.models import IncomingUpload, Job, JobInput, Session, Upload

Person = AbstractBaseUser | AnonymousUser


def person_of(request: HttpRequest) -> User:
    """Return who is signed in; call where that is required already."""
    assert isinstance(request.user, User)
    return request.user


def can_use_session(person: Person, session: Session) -> bool:
    """Whether this person may see and change the session and all that is in it."""
    return person.is_authenticated and session.owner_id == person.pk


def check_session(person: Person, session: Session) -> None:
    """Raise Http404 unless the person may use the session."""
    if not can_use_session(person, session):
        raise Http404("No such session")


def find_session(person: Person, pk: UUID) -> Session:
    """Return the session; Http404 where it is missing or not this person's."""
    return _found(person, Session.objects.filter(pk=pk).first())


def find_upload(person: Person, pk: UUID) -> Upload:
    """Return the upload; Http404 where it is missing or not this person's."""
    upload = Upload.objects.filter(pk=pk).select_related("session").first()
    _found(person, upload.session if upload else None)
    assert upload is not None
    return upload


def find_incoming(person: Person, pk: UUID) -> IncomingUpload:
    """Return a file on its way; Http404 where it is missing or not this person's."""
    wanted = IncomingUpload.objects.select_related("session__owner", "upload", "duplicate_of")
    incoming = wanted.filter(pk=pk).first()
    _found(person, incoming.session if incoming else None)
    assert incoming is not None
    return incoming


def find_job(person: Person, pk: UUID) -> Job:
    """Return the job; Http404 where it is missing or not this person's."""
    job = Job.objects.filter(pk=pk).select_related("session").first()
    _found(person, job.session if job else None)
    assert job is not None
    return job


def find_input(person: Person, pk: UUID) -> JobInput:
    """Return the input; Http404 where it is missing or not this person's."""
    job_input = JobInput.objects.filter(pk=pk).select_related("job__session", "upload").first()
    _found(person, job_input.job.session if job_input else None)
    assert job_input is not None
    return job_input


def _found(person: Person, session: Session | None) -> Session:
    if session is None:
        raise Http404("Nothing here")
    check_session(person, session)
    return session
