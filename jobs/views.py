"""The session pages. Each view parses, asks access, calls one function, answers; all work without JavaScript."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs import access, batches, history, reviews, uploads
from jobs.forms import JobForm, SessionForm, choices_of
from jobs.live import file_state, session_state
from jobs.media import file_response
from jobs.models import Job, JobInput, Session, Sound
from jobs.statuses import InputStatus


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_list(request: HttpRequest) -> HttpResponse:
    form = SessionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.owner = access.person_of(request)
        return redirect("session", form.save().pk)
    sessions = Session.objects.filter(owner_id=request.user.pk).annotate(
        file_count=Count("uploads", distinct=True),
        complete_count=Count(
            "jobs__inputs__upload", distinct=True, filter=Q(jobs__inputs__status=InputStatus.COMPLETE)
        ),
    )
    seconds = dict(
        Session.objects.filter(owner_id=request.user.pk)
        .order_by()
        .values_list("pk")
        .annotate(
            total=Sum("jobs__inputs__audio_duration", filter=Q(jobs__inputs__status=InputStatus.COMPLETE))
        )
    )
    reviewed = reviews.done(seconds)
    rows = [
        {**_row(session), "seconds": seconds.get(session.pk), "reviewed": reviewed.get(session.pk)}
        for session in sessions
    ]
    return render(request, "jobs/session_list.html", {"sessions": rows, "form": form})


@login_required
@require_safe
def session_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_session(request.user, pk)
    again = _job_to_run_again(request, session)
    form = JobForm(session, initial=choices_of(again) if again else {})
    return _session_page(request, session, form, again=again)


@login_required
@require_POST
def upload_files(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_session(request.user, pk)
    for file in request.FILES.getlist("files"):
        _receive(request, session, file)
    return redirect("session", session.pk)


@login_required
@require_POST
def start_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_session(request.user, pk)
    form = JobForm(session, request.POST)
    if not form.is_valid():
        return _session_page(request, session, form, status=400)
    try:
        batches.create_job(
            session,
            list(form.cleaned_data["uploads"]),
            form.options(),
            use_remote=form.cleaned_data.get("use_remote", False),
            created_by=access.person_of(request),
        )
    except batches.InvalidJob as wrong:
        form.add_error(None, wrong.message)
        return _session_page(request, session, form, status=400)
    return redirect("session", session.pk)


@login_required
@require_POST
def cancel_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = access.find_job(request.user, pk)
    batches.cancel_job(job, str(request.user))
    return redirect("session", job.session_id)


@login_required
@require_POST
def retry_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = access.find_job(request.user, pk)
    batches.retry_job(job, str(request.user))
    return redirect("session", job.session_id)


@login_required
@require_safe
def file_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    entry = access.find_input(request.user, pk)
    state = {"input": file_state(entry), "events": history.timeline(entry)}
    return render(request, "jobs/file.html", {"job": entry.job, "state": state})


@login_required
@require_POST
def cancel_input(request: HttpRequest, pk: UUID) -> HttpResponse:
    job_input = access.find_input(request.user, pk)
    batches.cancel_input(job_input, str(request.user))
    return _back(request, job_input)


@login_required
@require_POST
def retry_input(request: HttpRequest, pk: UUID) -> HttpResponse:
    job_input = access.find_input(request.user, pk)
    batches.retry_input(job_input, str(request.user))
    return _back(request, job_input)


@login_required
@require_safe
def upload_media(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    upload = access.find_upload(request.user, pk)
    try:
        return file_response(
            request, upload.path, etag=upload.sha256, content_type=upload.content_type, name=upload.name
        )
    except FileNotFoundError as missing:
        raise Http404(_("The recording is no longer on the disk.")) from missing


@login_required
@require_safe
def upload_levels(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How loud an upload is, a byte for each of many equal parts; 202 while nobody has looked yet, 204 for none."""
    upload = access.find_upload(request.user, pk)
    sound = Sound.objects.filter(upload=upload).first()
    if sound is None:
        return HttpResponse(status=202, headers={"Retry-After": "3"})
    if not sound.levels:
        return HttpResponse(status=204)
    kept = {"Cache-Control": "private, max-age=31536000, immutable"}  # an upload never changes
    return HttpResponse(bytes(sound.levels), content_type="application/octet-stream", headers=kept)


def _job_to_run_again(request: HttpRequest, session: Session) -> Job | None:
    """The job that `?again=` names, whose files and options the form starts with."""
    try:
        return session.jobs.filter(pk=request.GET.get("again", "")).first()
    except ValidationError:  # not an id
        return None


def _back(request: HttpRequest, job_input: JobInput) -> HttpResponse:
    if request.POST.get("from") == "file":
        return redirect("input", job_input.pk)
    return redirect("session", job_input.job.session_id)


def _session_page(
    request: HttpRequest, session: Session, form: JobForm, *, status: int = 200, again: Job | None = None
) -> HttpResponse:
    context = {"session": session, "form": form, "again": again, "state": session_state(session)}
    return render(request, "jobs/session.html", context, status=status)


def _receive(request: HttpRequest, session: Session, file: "UploadedFile[bytes]") -> None:
    name = uploads.display_name(file.name or "")
    try:
        uploads.receive(session, file)
    except uploads.UploadRefused as refusal:
        messages.error(request, f"{name}: {refusal.message}")
    else:
        messages.success(request, _("%(name)s is uploaded.") % {"name": name})


def _row(session: Session) -> dict[str, object]:
    fields = ("id", "name", "touched_at", "file_count", "complete_count")
    return {field: getattr(session, field) for field in fields}
