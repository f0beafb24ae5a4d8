"""The WSGI application: authenticates, routes, and responds with JSON. It never waits for the model."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from gpu_worker.config import Config
from gpu_worker.engine.handle import Engine
from gpu_worker.jobs.admission import FairSemaphore
from gpu_worker.jobs.registry import RETRY_AFTER, JobStore, KeyReused, WorkerBusy
from gpu_worker.logs import failed
from gpu_worker.preflight import preflight
from gpu_worker.server import push
from gpu_worker.server.metrics import CONTENT_TYPE, Metrics, Now
from gpu_worker.server.reply import NO_JOB, Reply, error, not_allowed, not_found
from gpu_worker.shared.protocol import (
    MAX_JOBS_ASKED,
    MAX_REQUEST_BYTES,
    PROTOCOL_VERSION,
    SERVICE_NAME,
    VERSION,
    InvalidMessage,
    read_json,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True)
class App:
    """`app(environ, start_response)` for any WSGI server."""

    config: Config
    jobs: JobStore
    engine: Engine
    engine_slots: FairSemaphore
    metrics: Metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            reply = self._answer(environ)
        except Exception:  # the boundary: a mistake of ours is a 500 in JSON and a line in the log
            failed("request_error")
            reply = error(500, "PROCESSING_ERROR", "The worker encountered an unexpected error.")
        content = reply.content
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(content)))]
        start_response(reply.line, headers + reply.headers)
        return [content]

    def _answer(self, environ: WSGIEnvironment) -> Reply:
        method = environ["REQUEST_METHOD"]
        path = _path(environ)
        if path == ("health",):
            return self._health() if method == "GET" else not_allowed("GET")
        refusal = self._refuse_stranger(environ)
        if refusal:
            return refusal
        match (method, path):
            case ("GET", ("v1", "ping")):
                return Reply(200, self._ping())
            case ("GET", ("v1", "preflight")):
                return Reply(200, {**preflight(self.config, self.engine.state)})
            case ("POST", ("v1", "jobs")):
                return self._start(environ)
            case ("GET", ("v1", "jobs")):
                return self._many(environ)
            case ("GET", ("v1", "jobs", job_id)):
                status = self.jobs.status(job_id)
                return Reply(200, {**status}) if status else NO_JOB
            case ("POST", ("v1", "jobs", job_id, "cancel")):
                found = self.jobs.cancel(job_id)
                return Reply(200, {"status": "cancel_requested"}) if found else NO_JOB
            case ("DELETE", ("v1", "jobs", job_id)):
                return Reply(200, {"status": "deleted"}) if self.jobs.delete(job_id) else NO_JOB
            case ("GET", ("metrics",)):
                return Reply(200, self.metrics.render(self._now()), content_type=CONTENT_TYPE)
            case _:
                return self._push(environ, method, path)

    def _push(self, environ: WSGIEnvironment, method: str, path: tuple[str, ...]) -> Reply:
        match (method, path):
            case ("HEAD", ("v1", "jobs", job_id, "inputs", input_id)):
                return push.ask(self.jobs, job_id, input_id)
            case ("PUT", ("v1", "jobs", job_id, "inputs", input_id)):
                content_range = environ.get("HTTP_CONTENT_RANGE", "").strip()
                return push.take(self.jobs, job_id, input_id, content_range, _read_body(environ))
            case ("GET", ("v1", "jobs", job_id, "outputs", input_id, kind)):
                return push.fetch(self.jobs, job_id, input_id, kind)
            case _:
                return _nothing_here(path)

    def _refuse_stranger(self, environ: WSGIEnvironment) -> Reply | None:
        header = environ.get("HTTP_AUTHORIZATION", "")
        if not header:
            asked = [("WWW-Authenticate", 'Bearer realm="worker"')]
            return error(401, "UNAUTHENTICATED", "Authorization header missing.", asked)
        scheme, _, token = header.partition(" ")
        is_known = _is_known(token.strip().encode("latin-1"), self.config)
        is_welcome = scheme.lower() == "bearer" and is_known
        return None if is_welcome else error(403, "FORBIDDEN", "Unknown token.")

    def _health(self) -> Reply:
        body = {
            "status": "ok",
            "service": SERVICE_NAME,
            "model": _model_name(self.config),
            "maxFileMB": self.config.max_file_mb,
        }
        return Reply(200, body)

    def _ping(self) -> dict[str, Any]:
        state = self.engine.state
        return {
            "status": "ok",
            "version": VERSION,
            "protocolVersion": PROTOCOL_VERSION,
            "identity": {
                "gitCommit": os.environ.get("GIT_COMMIT", ""),
                "buildTime": os.environ.get("BUILD_TIME", ""),
                "declaredImageDigest": os.environ.get("IMAGE_DIGEST", ""),
            },
            "gpu": state.gpu,
            "gpuName": state.gpu_name,
            "cuda": state.cuda,
            "models": list(state.models),
            "diarization": bool(state.diarization),
            "diarizationTrouble": state.diarization_trouble,
            "maxFileMB": self.config.max_file_mb,
            "activeJobs": self.jobs.active,
            "maxConcurrentJobs": self.config.max_concurrent_jobs,
            "queueSize": self.config.queue_size,
            "bootId": self.jobs.boot_id,
            "answersMany": True,
            "isReady": state.is_ready,
            "engine": self.config.engine_name,
            "rehearsal": self.config.is_rehearsal,
        }

    def _now(self) -> Now:
        state = self.engine.state
        return Now(
            jobs=self.jobs.count(),
            files_waiting=self.engine_slots.waiting,
            capacity=self.config.capacity,
            engine_ready=state.is_ready,
            engine_restarts=state.restarts,
            gpu_memory_bytes=state.gpu_memory_bytes,
        )

    def _many(self, environ: WSGIEnvironment) -> Reply:
        """The statuses of several jobs, without their log lines; null where there is no such job."""
        asked = parse_qs(environ.get("QUERY_STRING", "")).get("id", [])
        if not 0 < len(asked) <= MAX_JOBS_ASKED:
            return error(400, "INVALID_REQUEST", f"id: must be given 1 to {MAX_JOBS_ASKED} times")
        found = {job_id: self.jobs.status(job_id) for job_id in asked}
        return Reply(200, {"jobs": {name: said and {**said, "logs": []} for name, said in found.items()}})

    def _start(self, environ: WSGIEnvironment) -> Reply:
        raw = _read_body(environ)
        if raw is None:
            return error(413, "INVALID_REQUEST", "The request is larger than 1 MiB.")
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "").strip()
        if len(key) > 200:
            return error(400, "INVALID_REQUEST", "Idempotency-Key: must have at most 200 characters")
        try:
            job_id, status, is_new = self.jobs.start(read_json(raw), key)
        except InvalidMessage as invalid:
            return error(400, invalid.code, str(invalid))
        except KeyReused:
            return error(
                422, "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was already used for a different job."
            )
        except WorkerBusy:
            wait = [("Retry-After", str(RETRY_AFTER))]
            return error(429, "BUSY", "Worker is at capacity.", wait)
        return Reply(201 if is_new else 200, {"workerJobId": job_id, "status": status})


def _path(environ: WSGIEnvironment) -> tuple[str, ...]:
    """The path's parts; WSGI hands over its UTF-8 as Latin-1."""
    text = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
    return tuple(text.strip("/").split("/"))


def _is_known(token: bytes, config: Config) -> bool:
    """Whether this is the token, or the one before it while tokens are changed; in constant time."""
    is_current = hmac.compare_digest(token, config.token.encode())
    is_previous = hmac.compare_digest(token, config.previous_token.encode())
    return is_current or (is_previous and bool(config.previous_token))


def _nothing_here(path: tuple[str, ...]) -> Reply:
    match path:
        case ("v1", "ping" | "preflight") | ("metrics",) | ("v1", "jobs", _, "outputs", _, _):
            return not_allowed("GET")
        case ("v1", "jobs", _):
            return not_allowed("GET, DELETE")
        case ("v1", "jobs"):
            return not_allowed("GET, POST")
        case ("v1", "jobs", _, "cancel"):
            return not_allowed("POST")
        case ("v1", "jobs", _, "inputs", _):
            return not_allowed("HEAD, PUT")
        case _:
            return not_found("Not found")


def _read_body(environ: WSGIEnvironment) -> bytes | None:
    """The request's body, None where it is too large."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_REQUEST_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _model_name(config: Config) -> str:
    """WORKER_MODEL without the folders of a path: /health is open to everybody."""
    return config.model.rsplit("/", 1)[-1]
