"""WorkerClient: one method per endpoint of the worker; every outcome is a value or one of four WorkerErrors."""

import hashlib
import json
import logging
import time
from typing import Any
from urllib.parse import quote, urlencode

import requests
import urllib3
from django.conf import settings

from gpu_worker.shared import protocol
from gpu_worker.shared.protocol import JobRequest, JobStatus, parse_capabilities, parse_job_status

log = logging.getLogger(__name__)
BLOCK_BYTES = 64 * 1024
SLICE_SECONDS = 55.0  # for a mebibyte: 150 kbit/s will do


class WorkerError(Exception):
    """Any request without the expected response."""


class WorkerUnavailable(WorkerError):
    """No response from the worker: refused, unreachable, or a proxy's. `is_unsent`: the request never arrived."""

    def __init__(self, message: str, *, is_unsent: bool = False) -> None:
        super().__init__(message)
        self.is_unsent = is_unsent


class NotAStatus(WorkerUnavailable):
    """The worker's status for one job is invalid, which counts as no response for that job."""


class WorkerRefused(WorkerError):
    """The worker rejected the request; `code` is from the protocol, the message from the worker."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class WorkerBusy(WorkerError):
    """429: no free slot. `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("the worker is at capacity")
        self.retry_after = retry_after


class Misplaced(WorkerError):
    """409: the worker holds `offset` bytes of the file."""

    def __init__(self, offset: int) -> None:
        super().__init__("the worker holds a different number of bytes")
        self.offset = offset


class JobNotFound(WorkerError):
    """A genuine 404, in the worker's own JSON: it does not know the job."""


class WorkerClient:
    """Client for one worker. Connects within 3 s, waits 8 s, follows no redirects, reads at most 256 KiB."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update(
            {"Authorization": f"Bearer {token}", "User-Agent": protocol.CONTROLLER_AGENT}
        )

    def __enter__(self) -> "WorkerClient":
        return self

    def __exit__(self, *exc: object) -> None:
        self.session.close()

    def ping(self) -> dict[str, Any]:
        """GET /v1/ping: identity and capabilities. Raises WorkerRefused where it speaks another protocol."""
        answer = self._call("GET", "/v1/ping")
        if not parse_capabilities(answer).is_compatible:
            code = "PROTOCOL_MISMATCH"
            raise WorkerRefused(code, protocol.ERRORS[code].sentence, 200)
        return answer

    def preflight(self) -> dict[str, Any]:
        """GET /v1/preflight: problems with the machine, as text."""
        return self._call("GET", "/v1/preflight")

    def create_job(self, request: JobRequest, key: str) -> tuple[str, str]:
        """POST /v1/jobs; return the worker's job id and status. The same key never runs twice."""
        answer = self._call("POST", "/v1/jobs", request.to_wire(), {"Idempotency-Key": key})
        worker_job_id = answer.get("workerJobId")
        if not isinstance(worker_job_id, str) or not 0 < len(worker_job_id) <= 200:
            raise WorkerUnavailable("the response has no workerJobId")
        return worker_job_id, str(answer.get("status", ""))

    def job_status(self, worker_job_id: str) -> JobStatus:
        """GET /v1/jobs/<id>."""
        try:
            return parse_job_status(self._call("GET", f"/v1/jobs/{worker_job_id}"))
        except protocol.InvalidMessage as wrong:
            raise NotAStatus(f"not a job status: {wrong}") from wrong

    def job_statuses(self, worker_job_ids: list[str]) -> dict[str, JobStatus | None]:
        """GET /v1/jobs?id=…&id=…: many at once; None for jobs that the worker does not know.

        Jobs with an invalid status are omitted.
        """
        said = self._call("GET", "/v1/jobs?" + urlencode({"id": worker_job_ids}, doseq=True)).get("jobs")
        if not isinstance(said, dict) or not set(worker_job_ids) <= said.keys():
            raise WorkerUnavailable("the response does not include every requested job")
        found: dict[str, JobStatus | None] = {}
        for name in worker_job_ids:
            try:
                found[name] = parse_job_status(said[name]) if said[name] else None
            except protocol.InvalidMessage as wrong:
                log.warning("not a job status", extra={"workerJobId": name, "reason": str(wrong)})
        return found

    def cancel_job(self, worker_job_id: str) -> None:
        """POST /v1/jobs/<id>/cancel."""
        self._call("POST", f"/v1/jobs/{worker_job_id}/cancel")

    def delete_job(self, worker_job_id: str) -> None:
        """DELETE /v1/jobs/<id>: stop it, and delete its files and documents."""
        self._call("DELETE", f"/v1/jobs/{worker_job_id}")

    def held(self, worker_job_id: str, input_id: str) -> int:
        """HEAD of an input, in push mode: how many of its bytes the worker has."""
        status, _content, headers = self._exchange("HEAD", _input_path(worker_job_id, input_id))
        offset = headers.get("Upload-Offset", "")
        if status != 200 or not (offset.isascii() and offset.isdigit()):
            raise WorkerUnavailable(f"HTTP {status} instead of the offset")
        return int(offset)

    def send_slice(self, worker_job_id: str, input_id: str, first: int, total: int, content: bytes) -> int:
        """PUT a slice of an input; return how many bytes the worker has then. Raises Misplaced."""
        span = f"{first}-{first + len(content) - 1}" if content else "*"
        status, said, headers = self._exchange(
            "PUT",
            _input_path(worker_job_id, input_id),
            content,
            {"Content-Range": f"bytes {span}/{total}", "Content-Type": "application/octet-stream"},
            SLICE_SECONDS,
        )
        answer = _json_object(said)
        offset = answer.get("offset") if answer is not None else None
        if status == 409 and isinstance(offset, int):
            raise Misplaced(offset)
        if status != 200 or not isinstance(offset, int):
            raise _failure(status, answer, headers.get("Retry-After", ""))
        return offset

    def fetch_output(self, worker_job_id: str, input_id: str, output_type: str) -> bytes:
        """GET a document, in push mode; checked by its sha256, at most MAX_OUTPUT_BYTES."""
        path = f"/v1/jobs/{worker_job_id}/outputs/{quote(input_id, safe='')}/{output_type}"
        status, content, headers = self._exchange(
            "GET", path, seconds=SLICE_SECONDS, limit=protocol.MAX_OUTPUT_BYTES
        )
        if status != 200:
            raise _failure(status, _json_object(content), "")
        if headers.get("ETag", "").strip('"') != hashlib.sha256(content).hexdigest():
            raise WorkerUnavailable("a document was damaged in transit")
        return content

    def _call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        content_type = {} if body is None else {"Content-Type": "application/json"}
        sent = b"" if body is None else json.dumps(body).encode()
        status, content, answer_headers = self._exchange(method, path, sent, content_type | (headers or {}))
        answer = _json_object(content)
        if status in (200, 201) and answer is not None:
            return answer
        raise _failure(status, answer, answer_headers.get("Retry-After", ""))

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        seconds: float | None = None,
        limit: int | None = None,
    ) -> tuple[int, bytes, "requests.structures.CaseInsensitiveDict[str]"]:
        seconds = seconds or settings.CALL_SECONDS
        limit = limit or protocol.MAX_ANSWER_BYTES
        deadline = time.monotonic() + seconds
        try:
            with self.session.request(
                method,
                self.url + path,
                data=body,
                headers=headers,
                timeout=(settings.CONNECT_SECONDS, seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _read(response, deadline, limit), response.headers
        except requests.exceptions.ConnectTimeout as failure:
            raise WorkerUnavailable(
                f"no connection within {settings.CONNECT_SECONDS:.0f} s", is_unsent=True
            ) from failure
        except requests.exceptions.Timeout as failure:
            raise WorkerUnavailable(f"no response within {seconds:.0f} s") from failure
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as failure:
            raise WorkerUnavailable(_reason(failure), is_unsent=_is_unsent(failure)) from failure
        except UnicodeError as failure:
            raise WorkerUnavailable("the token is not plain ASCII", is_unsent=True) from failure


def _read(response: requests.Response, deadline: float, limit: int) -> bytes:
    """Read without buffering: waiting for full blocks would block on a worker that sends single bytes."""
    content = bytearray()
    while block := response.raw.read1(BLOCK_BYTES, decode_content=True):
        content += block
        if len(content) > limit:
            raise WorkerUnavailable(f"the response is larger than {limit // 1024} KiB")
        if time.monotonic() > deadline:
            raise WorkerUnavailable("the response took too long")
    return bytes(content)


def _input_path(worker_job_id: str, input_id: str) -> str:
    return f"/v1/jobs/{worker_job_id}/inputs/{quote(input_id, safe='')}"


def _json_object(content: bytes) -> dict[str, Any] | None:
    try:
        answer = protocol.read_json(content)
    except protocol.InvalidMessage:
        return None
    return answer if isinstance(answer, dict) else None


def _failure(status: int, answer: dict[str, Any] | None, retry_after: str) -> WorkerError:
    """Distinguish errors of the worker from those of a proxy: only JSON with an `error` is from the worker."""
    if answer is None or "error" not in answer:
        return WorkerUnavailable(f"HTTP {status} from something other than the worker")
    if status == 404:
        known = "job not found" in json.dumps(answer["error"]).lower()
        return JobNotFound() if known else WorkerUnavailable("HTTP 404 that does not refer to the job")
    if status == 429:
        return WorkerBusy(float(retry_after) if retry_after.isdigit() and len(retry_after) < 6 else 5.0)
    if status in (401, 403):
        return WorkerRefused("REMOTE_AUTH_FAILED", protocol.ERRORS["REMOTE_AUTH_FAILED"].sentence, status)
    if 400 <= status < 500:
        error = protocol.parse_error(answer["error"])
        said = answer["error"].get("code") if isinstance(answer["error"], dict) else None
        code = said if isinstance(said, str) and said in protocol.ERRORS else "REMOTE_REFUSED"
        return WorkerRefused(code, error["message"] if error else "", status)
    return WorkerUnavailable(f"HTTP {status}")


def _is_unsent(failure: Exception) -> bool:
    """Return whether nothing was sent: true for a refused connection, not for a broken one."""
    text = repr(failure)
    return "NewConnectionError" in text or "NameResolutionError" in text


def _reason(failure: Exception) -> str:
    """Return a short reason without the URL, which may contain secrets."""
    text = repr(failure)
    for sign, reason in (
        ("refused", "connection refused"),
        ("NameResolution", "hostname could not be resolved"),
        ("SSL", "TLS handshake failed"),
        ("reset", "connection reset"),
        ("RemoteDisconnected", "connection closed without a response"),
    ):
        if sign in text:
            return reason
    return type(failure).__name__
