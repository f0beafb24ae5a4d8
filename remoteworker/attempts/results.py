"""Write-back: outputs are staged as they arrive, `complete` commits them exactly once."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from gpu_worker.shared import transcript
from gpu_worker.shared.protocol import OUTPUT_TYPES, CompleteMessage, read_json
from jobs import storage
from jobs.models import Job, JobInput, Result, ResultFile
from jobs.signals import input_completed
from jobs.statuses import Event, InputStatus
from remoteworker import clock
from remoteworker.attempts import dispatch, leases
from remoteworker.models import Attempt, StagedOutput, Worker
from remoteworker.workers import capacity

log = logging.getLogger(__name__)


class StaleAttempt(Exception):
    """The attempt was superseded, or never dispatched to this worker: 409."""


class InputCanceled(Exception):
    """A user canceled it: 410."""


class OutputRejected(Exception):
    """The message was rejected: 422; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def find_attempt(
    workers: Sequence[Worker], job_id: UUID, worker_job_id: str, input_id: str = "", number: int | None = None
) -> Attempt:
    """Return the attempt for the worker's job id.

    If the response to our POST was lost, the worker's id is adopted here. Raises StaleAttempt,
    InputCanceled. A write-back renews the lease, like a poll.
    """
    given = Attempt.objects.filter(worker__in=workers, job_input__job_id=job_id).select_related(
        "job_input__job", "job_input__upload", "worker"
    )
    attempt = given.filter(worker_job_id=worker_job_id).first() if worker_job_id else None
    if attempt is None:
        attempt = _adopt(given, worker_job_id, input_id, number)
    if attempt is None or number not in (None, attempt.number):
        raise StaleAttempt
    check_current(attempt)
    attempt.renew(clock.now())
    return attempt


def check_current(attempt: Attempt) -> None:
    """Raise StaleAttempt or InputCanceled unless the attempt is current."""
    job_input = attempt.job_input
    match leases.validity(attempt.number, job_input.attempt_count, job_input.status):
        case leases.Validity.CANCELED:
            raise InputCanceled
        case leases.Validity.STALE:
            raise StaleAttempt


def stage(attempt: Attempt, input_id: str, output_type: str, source: Path, digest: str) -> StagedOutput:
    """Stage one output of a current attempt; the same bytes (by sha256 `digest`) are the same output.

    Raises StaleAttempt if the input has ended, OutputRejected for a foreign input or unknown type.
    """
    if input_id != str(attempt.job_input_id):
        raise OutputRejected("INVALID_REQUEST", "inputId: is not an input of this job")
    if output_type not in OUTPUT_TYPES:
        raise OutputRejected("INVALID_REQUEST", f"outputType: must be one of {', '.join(OUTPUT_TYPES)}")
    known = attempt.staged.filter(output_type=output_type, sha256=digest).first()
    if known is not None:
        return known
    size = source.stat().st_size
    relative = f"{attempt.pk.hex}/{output_type}-{digest[:16]}"
    storage.keep(source, Path(settings.RESULTS_DIR) / relative)
    staged, _created = StagedOutput.objects.get_or_create(
        attempt=attempt,
        output_type=output_type,
        sha256=digest,
        defaults={"path": relative, "size_bytes": size},
    )
    return staged


def finish(attempt: Attempt, message: CompleteMessage) -> int:
    """Process a `complete` message; return the number of outputs. Repetitions return the same.

    Raises StaleAttempt, InputCanceled, OutputRejected.
    """
    if message["status"] != "complete":
        _fail(attempt, message)
        return 0
    listed = {output["type"] for output in message["outputs"]}
    if any(output["inputId"] != str(attempt.job_input_id) for output in message["outputs"]):
        raise OutputRejected("INVALID_REQUEST", "outputs: lists an input that does not belong to this job")
    chosen = {output.output_type: output for output in attempt.staged.order_by("created_at")}
    if missing := listed - chosen.keys():
        raise OutputRejected("REMOTE_OUTPUTS_MISSING", f"not received: {', '.join(sorted(missing))}")
    if "json" not in listed:
        raise OutputRejected("REMOTE_OUTPUTS_MISSING", "a result requires an output of type json")
    seconds = _read_duration(attempt, chosen["json"])
    return _commit(attempt, [chosen[output_type] for output_type in sorted(listed)], seconds)


def _commit(attempt: Attempt, outputs: list[StagedOutput], seconds: float) -> int:
    """One transaction: the attempt is the latest, the input can complete, and all rows appear together."""
    with transaction.atomic():
        Job.lock(attempt.job_input.job_id)
        locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
        job_input = JobInput.objects.select_related("job", "upload").get(pk=attempt.job_input_id)
        locked.job_input = job_input
        check_current(locked)
        if job_input.status == InputStatus.COMPLETE:
            return job_input.result.files.count()
        completed: dict[str, Any] = {
            "stage": "complete", "percent": 100.0, "eta_seconds": 0.0, "audio_duration": seconds,
        }  # fmt: skip
        if not any(
            locked.finish(event, Attempt.Outcome.COMPLETE, actor=attempt.worker.name, **completed)
            for event in (Event.COMPLETED, Event.COMPLETED_LATE)
        ):
            raise StaleAttempt
        result = Result.objects.create(job_input=job_input, attempt_number=locked.number)
        ResultFile.objects.bulk_create(
            ResultFile(
                result=result,
                output_type=output.output_type,
                path=output.path,
                sha256=output.sha256,
                size_bytes=output.size_bytes,
            )
            for output in outputs
        )
        input_completed.send(sender=Result, result=result)
    capacity.learn_speed(attempt, seconds, clock.now())
    log.info("result committed", extra={"worker": attempt.worker.name, "workerJobId": attempt.worker_job_id})
    return len(outputs)


def _fail(attempt: Attempt, message: CompleteMessage) -> None:
    error = message["error"] or {"code": "PROCESSING_ERROR", "message": "The worker did not give a reason."}
    code = "CANCELED" if message["status"] == "canceled" else error["code"]
    text = error["message"]
    attempt.finish(
        Event.FAILED_BY_WORKER,
        Attempt.Outcome.FAILED,
        actor=attempt.worker.name,
        code=code,
        message=text,
        remote_last_error={"code": code, "message": text},
    )


def _read_duration(attempt: Attempt, output: StagedOutput) -> float:
    """Return the duration of a transcript; an unreadable one fails the input and raises OutputRejected."""
    try:
        return transcript.parse(read_json(output.absolute_path.read_bytes()))["duration"]
    except ValueError as wrong:
        text = f"The worker's transcript cannot be read: {wrong}"[:500]
        failed = CompleteMessage(
            workerJobId=attempt.worker_job_id,
            controllerJobId=str(attempt.job_input.job_id),
            status="failed",
            outputs=[],
            error={"code": "RESULT_UNREADABLE", "message": text},
        )
        _fail(attempt, failed)
        raise OutputRejected("RESULT_UNREADABLE", text) from wrong


def _adopt(given: QuerySet[Attempt], worker_job_id: str, input_id: str, number: int | None) -> Attempt | None:
    """Assign the id to the only attempt that can be meant; None if there is none or it is ambiguous.

    Workers may share a token. The id of a worker with an ended attempt whose response was lost is unknown as well:
    if it might be the sender, the message is ambiguous and no attempt is assigned.
    """
    named = Q(number=number) if number is not None else Q()
    if input_id:
        named &= Q(job_input_id=input_id)
    strangers = given.filter(Q(ended_at=None) | Q(sent_at__isnull=False), named, worker_job_id="")
    found = list(strangers[:2])
    if not worker_job_id or len(found) != 1 or found[0].ended_at is not None:
        return None
    dispatch.accept(found[0], worker_job_id, is_answer=False)
    return found[0] if found[0].worker_job_id == worker_job_id else None
