"""The session pages. Views parse the request, check access, call one function, and respond. No JavaScript needed."""

from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gpu_worker.shared.protocol import OUTPUT_CONTENT_TYPES
from jobs import access, batches, filters, history, presets, trash
from jobs.api import schemas
from jobs.api.serializers import file_state
from jobs.api.session_state import pages, session_state, tabs
from jobs.filters import Choice
from jobs.forms import JobForm, RetentionForm, SessionForm, choices_of, last_choices
from jobs.media import renditions
from jobs.media.serving import file_response
from jobs.models import Job, JobInput, Session, Sound
from jobs.ports import partial_results
from jobs.uploads import ingest

Row = TypeVar("Row")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def session_list(request: HttpRequest) -> HttpResponse:
    form = SessionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.instance.owner = access.person_of(request)
        return redirect("session", form.save().pk)
    person = access.person_of(request)
    context = {"sessions": filters.sessions(person), "deleted": trash.sessions(person), "form": form}
    return render(request, "jobs/session_list.html", context)


@login_required
@require_safe
def session_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_session(request.user, pk)
    again = _job_to_run_again(request, session)
    chosen = choices_of(again) if again else last_choices(access.person_of(request))
    form = JobForm(session, initial=chosen)
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
            form.wanted(session),
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
@require_POST
def delete_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = access.find_job(request.user, pk)
    trash.delete_job(job, str(request.user), with_recordings=request.POST.get("recordings") == "1")
    return redirect("session", job.session_id)


@login_required
@require_POST
def restore_job(request: HttpRequest, pk: UUID) -> HttpResponse:
    job = access.find_deleted_job(request.user, pk)
    _bring_back(request, trash.restore_job, job)
    return redirect("session", job.session_id)


@login_required
@require_POST
def delete_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = access.find_upload(request.user, pk)
    try:
        trash.delete_upload(upload)
    except trash.StillUsed:
        messages.error(request, _("%(name)s is part of a job. Delete the job first.") % {"name": upload.name})
    return redirect("session", upload.session_id)


@login_required
@require_POST
def restore_upload(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = access.find_deleted_upload(request.user, pk)
    _bring_back(request, trash.restore_upload, upload)
    return redirect("session", upload.session_id)


@login_required
@require_POST
def rename_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    form = SessionForm(request.POST, instance=access.find_session(request.user, pk))
    if form.is_valid():
        form.rename()
    else:
        messages.error(request, _("The session was not renamed. %(why)s") % {"why": form.errors["name"][0]})
    return redirect("session", pk)


@login_required
@require_POST
def keep_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Set the retention of a session."""
    form = RetentionForm(request.POST, instance=access.find_session(request.user, pk))
    if form.is_valid():
        form.keep()
    else:
        why = form.errors["retention_days"][0]
        messages.error(request, _("Retention was not changed. %(why)s") % {"why": why})
    return redirect("session", pk)


@login_required
@require_POST
def delete_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    trash.delete_session(access.find_session(request.user, pk), str(request.user))
    return redirect("sessions")


@login_required
@require_POST
def restore_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_deleted_session(request.user, pk)
    if not _bring_back(request, trash.restore_session, session):
        return redirect("sessions")
    return redirect("session", session.pk)


@login_required
@require_POST
def empty_trash(request: HttpRequest, pk: UUID) -> HttpResponse:
    session = access.find_session(request.user, pk)
    trash.empty(session)
    return redirect("session", session.pk)


@login_required
@require_safe
def file_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    entry = access.find_input(request.user, pk)
    state = schemas.InputAnswer(input=file_state(entry), events=history.timeline(entry)).wire()
    return render(request, "jobs/file.html", {"job": entry.job, "state": state})


@login_required
@require_safe
def partial_output(request: HttpRequest, pk: UUID, format: str) -> HttpResponseBase:
    """A document that the worker sent before the file failed. Download only: its content is untrusted."""
    entry = access.find_input(request.user, pk)
    part = partial_results.find(entry, format)
    kind = OUTPUT_CONTENT_TYPES.get(format, "application/octet-stream")
    try:
        file = part.path.open("rb") if part else None
    except FileNotFoundError:
        file = None
    if file is None:
        raise Http404("Document not found")
    ending = "json" if kind == "application/json" else "md"
    name = f"{PurePath(entry.upload.name).stem}.partial.{ending}"
    response = FileResponse(file, as_attachment=True, filename=name, content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


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
    """The recording for the player, or its playable copy."""
    upload = access.find_upload(request.user, pk)
    copy = renditions.copy_of(upload)
    shown, kind = (copy, copy.CONTENT_TYPE) if copy else (upload, upload.content_type)
    name = f"{upload.name}.webm" if copy else upload.name
    try:
        return file_response(request, shown.path, etag=shown.sha256, content_type=kind, name=name)
    except FileNotFoundError as missing:
        raise Http404(_("The recording is no longer on the disk.")) from missing


@login_required
@require_safe
def upload_levels(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The waveform of an upload, one byte per part; 202 if not analyzed yet, 204 if there is none."""
    upload = access.find_upload(request.user, pk)
    sound = Sound.objects.filter(upload=upload).first()
    if sound is None:
        return HttpResponse(status=202, headers={"Retry-After": "3"})
    if not sound.levels:
        return HttpResponse(status=204)
    kept = {"Cache-Control": "private, max-age=31536000, immutable"}  # an upload never changes
    return HttpResponse(bytes(sound.levels), content_type="application/octet-stream", headers=kept)


def _job_to_run_again(request: HttpRequest, session: Session) -> Job | None:
    """Return the job named by `?again=`, whose files and options prefill the form."""
    try:
        return session.jobs.filter(pk=request.GET.get("again", ""), deleted_at=None).first()
    except ValidationError:  # not an id
        return None


def _back(request: HttpRequest, job_input: JobInput) -> HttpResponse:
    if request.POST.get("from") == "file":
        return redirect("input", job_input.pk)
    return redirect("session", job_input.job.session_id)


def _session_page(
    request: HttpRequest, session: Session, form: JobForm, *, status: int = 200, again: Job | None = None
) -> HttpResponse:
    choice = Choice.of(request.GET)
    state = session_state(session, choice)
    context = {
        "session": session,
        "form": form,
        "retention": RetentionForm(instance=session),
        "again": again,
        "fresh_shown": filters.FRESH_SHOWN,
        "again_count": again.inputs.count() if again else 0,
        "presets": [preset.wire() for preset in presets.of(access.person_of(request))],
        "state": state.wire(),
        "tabs": tabs(state, choice),
        "pages": pages(state, choice),
    }
    return render(request, "jobs/session.html", context, status=status)


def _bring_back(request: HttpRequest, restore: Callable[[Row], None], row: Row) -> bool:
    try:
        restore(row)
    except ingest.UploadRefused as refusal:
        messages.error(request, refusal.message)
        return False
    return True


def _receive(request: HttpRequest, session: Session, file: "UploadedFile[bytes]") -> None:
    name = ingest.display_name(file.name or "")
    try:
        ingest.receive(session, file)
    except ingest.UploadRefused as refusal:
        messages.error(request, f"{name}: {refusal.message}")
    else:
        messages.success(request, _("%(name)s was uploaded.") % {"name": name})
