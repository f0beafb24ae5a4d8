"""Endpoints of push mode: the controller sends files in slices and downloads the documents."""

from __future__ import annotations

import hashlib
import re

from gpu_worker.errors import Fault
from gpu_worker.jobs.registry import JobOver, JobStore
from gpu_worker.server.receive_push import Damaged, Misplaced, PushUpload, Slice, WrongSize
from gpu_worker.server.reply import NO_JOB, Reply, error, not_found
from gpu_worker.shared.protocol import OUTPUT_CONTENT_TYPES

RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
EMPTY_RANGE = re.compile(r"bytes \*/0")


def ask(jobs: JobStore, job_id: str, input_id: str) -> Reply:
    """HEAD of an input: how many bytes are here."""
    push_upload = _push_upload(jobs, job_id, input_id)
    if isinstance(push_upload, Reply):
        return push_upload
    return Reply(200, b"", [*_offset(push_upload), ("Upload-Length", str(push_upload.size))])


def take(jobs: JobStore, job_id: str, input_id: str, content_range: str, body: bytes | None) -> Reply:
    """PUT of an input: append one slice."""
    push_upload = _push_upload(jobs, job_id, input_id)
    if isinstance(push_upload, Reply):
        return push_upload
    if body is None:
        return error(413, "INVALID_REQUEST", "A slice must not be larger than 1 MiB.")
    part = _slice(content_range, body)
    if part is None:
        return error(400, "INVALID_REQUEST", "Content-Range: must be bytes FIRST-LAST/TOTAL of this body")
    return _append(push_upload, part)


def fetch(jobs: JobStore, job_id: str, input_id: str, kind: str) -> Reply:
    """GET of an output."""
    path = jobs.output(job_id, input_id, kind)
    try:
        content = path.read_bytes() if path else None
    except OSError:
        content = None
    if content is None:
        return not_found("Output not found")
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    return Reply(200, content, [("ETag", etag)], OUTPUT_CONTENT_TYPES[kind])


def _push_upload(jobs: JobStore, job_id: str, input_id: str) -> PushUpload | Reply:
    """Where the file comes in, or the answer that it does not."""
    try:
        return jobs.push_upload(job_id, input_id) or NO_JOB
    except JobOver:
        return error(410, "JOB_OVER", "This job has ended and accepts no more files.")


def _append(push_upload: PushUpload, part: Slice) -> Reply:
    try:
        push_upload.take(part)
    except Misplaced:
        return _at(
            push_upload, 409, "OFFSET_MISMATCH", f"The next slice must begin at byte {push_upload.held}."
        )
    except WrongSize:
        message = f"Content-Range: the file has {push_upload.size} bytes by the job's sizeBytes"
        return error(400, "INVALID_REQUEST", message)
    except Damaged:
        return _at(push_upload, 422, "CHECKSUM_MISMATCH", "SHA-256 mismatch: send the file again.")
    except Fault as fault:
        status = {"WORKER_DISK_FULL": 507, "CHECKSUM_MISMATCH": 422}.get(fault.code, 500)
        return _at(push_upload, status, fault.code, str(fault))
    return Reply(200, {"offset": push_upload.held, "complete": push_upload.is_whole}, _offset(push_upload))


def _slice(content_range: str, body: bytes) -> Slice | None:
    """The slice that a PUT carries: a part, or without Content-Range the whole file."""
    if not content_range:
        return Slice(0, len(body), body)
    if EMPTY_RANGE.fullmatch(content_range) and not body:
        return Slice(0, 0, b"")
    found = RANGE.fullmatch(content_range)
    if not found:
        return None
    first, last, total = map(int, found.groups())
    return Slice(first, total, body) if body and last - first + 1 == len(body) else None


def _at(push_upload: PushUpload, status: int, code: str, message: str) -> Reply:
    return error(status, code, message, _offset(push_upload), offset=push_upload.held)


def _offset(push_upload: PushUpload) -> list[tuple[str, str]]:
    return [("Upload-Offset", str(push_upload.held))]
