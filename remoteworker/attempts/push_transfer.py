"""Push mode: sends files to a worker in slices and downloads documents. The database is the queue."""

import hashlib
import logging
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from gpu_worker.shared.protocol import (
    ERRORS,
    MAX_REQUEST_BYTES,
    CompleteMessage,
    InvalidMessage,
    JobStatus,
    OutputRef,
    parse_complete,
)
from jobs.statuses import InputStatus
from remoteworker import clock
from remoteworker.attempts import results
from remoteworker.models import BRINGING, Attempt
from remoteworker.workers import registry
from remoteworker.workers.client import Misplaced, WorkerClient, WorkerError

log = logging.getLogger(__name__)

GO_SECONDS = 5.0  # of sending, until the task gives its thread back
SENDERS = 4  # at once: ticks and polls need threads too
_MISSING = {"code": "UPLOAD_MISSING", "message": ERRORS["UPLOAD_MISSING"].sentence}


def waiting() -> QuerySet[Attempt]:
    """Return the attempts whose file is waiting to be sent and is not being sent, oldest first."""
    return _unbrought().filter(BRINGING.is_free()).order_by("created_at")


def next_to_bring() -> QuerySet[Attempt]:
    """Return as many of these as may be sent in parallel."""
    free = SENDERS - _unbrought().filter(BRINGING.is_held()).count()
    return waiting()[: max(0, free)]


def _unbrought() -> QuerySet[Attempt]:
    return Attempt.objects.filter(ended_at=None, is_push=True, is_brought=False).exclude(worker_job_id="")


def bring(attempt_id: str) -> bool:
    """Send slices for a while; return whether there is more. One sender per attempt, few in total."""
    row = Attempt.objects.filter(pk=attempt_id)
    if not next_to_bring() or not BRINGING.claim(_unbrought().filter(pk=attempt_id)):
        return False
    attempt = Attempt.objects.select_related("worker", "job_input__upload", "job_input__job").get(
        pk=attempt_id
    )
    fields = {"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id}
    try:
        with registry.client_of(attempt.worker) as client:
            is_whole = _send(attempt, client)
    except WorkerError as failure:  # the poll reports the status of the job; the next tick retries
        log.warning("file not brought", extra={**fields, "reason": str(failure)})
        return False
    except FileNotFoundError:
        results.finish(attempt, _message(attempt, "failed", error=_MISSING))
        return False
    finally:
        BRINGING.release(row)
    if is_whole:
        row.update(is_brought=True)
        log.info("file brought", extra={**fields, "bytes": attempt.job_input.upload.size_bytes})
    return not is_whole


def follow(attempt: Attempt, status: JobStatus, client: WorkerClient) -> bool:
    """Act on a poll: download finished documents, resend files that a restarted worker has lost.

    Returns whether that ended the attempt.
    """
    if status["status"] == "complete":
        _fetch(attempt, status, client)
        return _is_over(attempt)
    if status["stage"] == "downloading" and attempt.is_brought:
        Attempt.objects.filter(pk=attempt.pk).update(is_brought=False)  # HEAD tells how much is there
    return False


def _send(attempt: Attempt, client: WorkerClient) -> bool:
    """Return whether the worker has the whole file."""
    upload = attempt.job_input.upload
    address = (attempt.worker_job_id, str(attempt.job_input_id))
    deadline = time.monotonic() + GO_SECONDS
    with upload.path.open("rb") as file:
        held = client.held(*address)
        while held < upload.size_bytes or not upload.size_bytes:
            file.seek(held)
            content = file.read(MAX_REQUEST_BYTES)
            try:
                held = client.send_slice(*address, held, upload.size_bytes, content)
                attempt.renew(clock.now())
            except Misplaced as other:
                held = other.offset
            if held >= upload.size_bytes:
                break
            if time.monotonic() > deadline or not _go_on(attempt):
                return False
    return True


def _go_on(attempt: Attempt) -> bool:
    """Renew the lease, while the attempt is wanted."""
    return BRINGING.renew(Attempt.objects.filter(pk=attempt.pk, ended_at=None))


def _is_over(attempt: Attempt) -> bool:
    return not Attempt.objects.filter(pk=attempt.pk, ended_at=None).exists()


def _fetch(attempt: Attempt, status: JobStatus, client: WorkerClient) -> None:
    """Stage all documents listed in the poll and commit them, by the same rules as the callback."""
    current = Attempt.objects.select_related("job_input__job", "job_input__upload", "worker").get(
        pk=attempt.pk
    )
    if not current.is_latest or current.job_input.status != InputStatus.RUNNING:
        return
    try:
        message = _message(current, "complete", outputs=status.get("outputs"))
        here = set(current.staged.values_list("output_type", flat=True))  # by an earlier poll that broke off
        for output in message["outputs"]:
            if output["type"] not in here:
                _stage(current, output, client)
        results.finish(current, message)
    except (results.StaleAttempt, results.InputCanceled):
        log.info("outputs not wanted any more", extra={"workerJobId": attempt.worker_job_id})
    except (
        WorkerError,
        results.OutputRejected,
        InvalidMessage,
        OSError,
    ) as failure:  # outputs_due_at ends this
        reason = str(failure)
        log.warning("outputs not fetched", extra={"workerJobId": attempt.worker_job_id, "reason": reason})


def _stage(attempt: Attempt, output: OutputRef, client: WorkerClient) -> None:
    kind = output["type"]
    content = client.fetch_output(attempt.worker_job_id, str(attempt.job_input_id), kind)
    draft = Path(settings.TEMP_DIR) / f"output-{uuid.uuid4().hex}"
    try:
        draft.write_bytes(content)
        results.stage(attempt, output["inputId"], kind, draft, hashlib.sha256(content).hexdigest())
    finally:
        draft.unlink(missing_ok=True)


def _message(attempt: Attempt, status: str, **more: object) -> CompleteMessage:
    """Return the message that the callback would have sent."""
    return parse_complete(
        {
            "workerJobId": attempt.worker_job_id,
            "controllerJobId": str(attempt.job_input.job_id),
            "status": status,
            **more,
        }
    )
