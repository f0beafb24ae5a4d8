"""The controller's endpoints for workers. Paths and responses are fixed by the protocol."""

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from gpu_worker.shared.protocol import MAX_REQUEST_BYTES, InvalidMessage, parse_complete, plain, read_json
from jobs.api.errors import error_response
from jobs.media.serving import file_response
from jobs.models import JobInput
from jobs.uploads.ingest import sha256_of
from remoteworker import clock, signing
from remoteworker.attempts import results
from remoteworker.auth import Unauthenticated, UnknownToken, workers_of
from remoteworker.models import Attempt, Worker
from remoteworker.workers import health

log = logging.getLogger(__name__)
WorkerView = Callable[[HttpRequest, UUID, list[Worker]], JsonResponse]


def for_workers(view: WorkerView) -> Callable[[HttpRequest, UUID], JsonResponse]:
    """Require a worker's token, and convert exceptions of `results` into protocol responses."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def answer(request: HttpRequest, job_id: UUID) -> JsonResponse:
        try:
            return view(request, job_id, workers_of(request))
        except Unauthenticated:
            return error_response(401, "UNAUTHENTICATED", "The Authorization header is missing.")
        except UnknownToken:
            return error_response(403, "FORBIDDEN", "The token is not valid.")
        except results.StaleAttempt:
            return error_response(
                409, "STALE_ATTEMPT", "This attempt has ended. Stop it and delete its data."
            )
        except results.InputCanceled:
            return error_response(410, "CANCELED", "This job was canceled. Stop it and delete its data.")
        except results.OutputRejected as rejection:
            return error_response(422, rejection.code, rejection.message)
        except InvalidMessage as wrong:
            return error_response(400, wrong.code, str(wrong))

    return answer


@require_safe
def worker_input(request: HttpRequest, job_id: UUID, input_id: UUID) -> HttpResponseBase:
    """The media file, by signed link. Every invalid link returns the same 403."""
    job_input = JobInput.objects.select_related("upload").filter(pk=input_id, job_id=job_id).first()
    attempt = Attempt.objects.filter(job_input_id=input_id, ended_at=None).first()
    is_valid = signing.is_valid_signature(
        request.GET.get("sig", ""),
        job_id,
        input_id,
        attempt.number if attempt else 0,
        request.GET.get("expires", ""),
        clock.now(),
    )
    if not is_valid or attempt is None or job_input is None:
        return error_response(403, "FORBIDDEN", "This link is not valid or has expired.")
    upload = job_input.upload
    try:
        return file_response(
            request, upload.path, etag=upload.sha256, content_type=upload.content_type, name="input"
        )
    except FileNotFoundError:
        return error_response(410, "UPLOAD_MISSING", "The recording is no longer on the controller's disk.")


@for_workers
def worker_outputs(request: HttpRequest, job_id: UUID, workers: list[Worker]) -> JsonResponse:
    """Multipart: workerJobId, inputId, outputType, file, and optionally attempt."""
    file = request.FILES.get("file")
    if file is None:
        raise InvalidMessage("file", "is missing")
    input_id = _uuid_text(request.POST.get("inputId", ""))
    number = request.POST.get("attempt", "")
    attempt = results.find_attempt(
        workers,
        job_id,
        _plain(request.POST.get("workerJobId", ""), "workerJobId"),
        input_id,
        int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None,
    )
    source = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
    kind = request.POST.get("outputType", "")
    staged = results.stage(attempt, input_id, kind, source, sha256_of(file))
    log.info(
        "output received",
        extra={"worker": attempt.worker.name, "outputType": staged.output_type, "bytes": staged.size_bytes},
    )
    return JsonResponse({"status": "ok", "outputId": str(staged.pk)})


@for_workers
def worker_complete(request: HttpRequest, job_id: UUID, workers: list[Worker]) -> JsonResponse:
    """JSON: the end of the job. Commits exactly once; repetitions get the same response."""
    message = parse_complete(_json_body(request))
    if message["controllerJobId"] != str(job_id):
        raise InvalidMessage("controllerJobId", "does not match the job in the URL")
    first = message["outputs"][0]["inputId"] if message["outputs"] else ""
    attempt = results.find_attempt(
        workers, job_id, message["workerJobId"], _uuid_text(first) if first else "", message.get("attempt")
    )
    return JsonResponse({"status": "ok", "outputsReceived": results.finish(attempt, message)})


@require_safe
def remote_worker_status(request: HttpRequest) -> JsonResponse:
    """Status of the remote worker, from the database only."""
    return JsonResponse(health.status())


def _json_body(request: HttpRequest) -> Any:
    if int(request.headers.get("Content-Length") or 0) > MAX_REQUEST_BYTES:
        raise InvalidMessage("body", "is larger than 1 MiB")
    return read_json(request.body)


def _plain(text: str, name: str) -> str:
    if plain(text) != text or not 0 < len(text) <= 200:
        raise InvalidMessage(name, "must be 1 to 200 characters without NUL")
    return text


def _uuid_text(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as wrong:
        raise InvalidMessage("inputId", "is not an id") from wrong
