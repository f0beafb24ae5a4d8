"""The job request for a worker: the body of POST /v1/jobs with signed URLs."""

from typing import NamedTuple

from django.conf import settings
from django.urls import reverse

from gpu_worker.shared.protocol import InputSpec, JobRequest
from remoteworker import signing
from remoteworker.models import Attempt, Worker


def job_request(attempt: Attempt, worker: Worker) -> JobRequest:
    """Return the body of POST /v1/jobs, identical for every repetition of the same attempt.

    In push mode it contains no URLs, which is how the worker recognizes the mode.
    """
    job_input = attempt.job_input
    job, upload = job_input.job, job_input.upload
    addresses = _Addresses() if attempt.is_push else _addresses(attempt, worker)
    source = InputSpec(
        input_id=str(job_input.pk),
        filename=upload.name,
        content_type=upload.content_type,
        size_bytes=upload.size_bytes,
        download_url=addresses.download,
        sha256=upload.sha256,
    )
    return JobRequest(
        controller_job_id=str(job.pk),
        controller_session_hash=signing.session_hash(job.session_id),
        inputs=(source,),
        options=job.worker_options(),
        callback_url=addresses.complete,
        outputs_upload_url=addresses.outputs,
        attempt=attempt.number,
        deadline_at=attempt.deadline_at.isoformat(),
    )


class _Addresses(NamedTuple):
    """The URLs of this controller for a worker."""

    download: str = ""
    complete: str = ""
    outputs: str = ""


def _addresses(attempt: Attempt, worker: Worker) -> _Addresses:
    job_id, input_id = attempt.job_input.job_id, attempt.job_input_id
    is_local = worker.kind == Worker.Kind.LOCAL
    base = settings.LOCAL_CONTROLLER_URL if is_local else settings.CONTROLLER_BASE_URL
    expires = int(attempt.deadline_at.timestamp())
    signature = signing.sign_input(job_id, input_id, attempt.number, expires)
    link = reverse("worker-input", args=[job_id, input_id])
    return _Addresses(
        download=f"{base}{link}?expires={expires}&sig={signature}",
        complete=base + reverse("worker-complete", args=[job_id]),
        outputs=base + reverse("worker-outputs", args=[job_id]),
    )
