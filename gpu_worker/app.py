"""The WSGI application: authenticates, routes, answers JSON. It never waits for the model."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from gpu_worker.config import Config
from gpu_worker.engine import Engine
from gpu_worker.jobs import RETRY_AFTER, JobStore, KeyReused, WorkerBusy
from gpu_worker.logs import failed
from gpu_worker.preflight import preflight
from gpu_worker.protocol import MAX_REQUEST_BYTES, SERVICE_NAME, VERSION, InvalidMessage, read_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@dataclass(frozen=True)
class Reply:
    """One answer; the body becomes JSON."""

    status: int
    body: dict[str, Any]
    headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class App:
    """`app(environ, start_response)` for any WSGI server."""

    config: Config
    jobs: JobStore
    engine: Engine

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            reply = self._answer(environ)
        except Exception:  # the boundary: a mistake of ours is a 500 in JSON and a line in the log
            failed("request_error")
            reply = _error(500, "PROCESSING_ERROR", "The worker met an unexpected error.")
        content = json.dumps(reply.body, ensure_ascii=False).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers + reply.headers)
        return [content]

    def _answer(self, environ: WSGIEnvironment) -> Reply:
        method = environ["REQUEST_METHOD"]
        path = tuple(environ.get("PATH_INFO", "").strip("/").split("/"))
        if path == ("health",):
            return self._health() if method == "GET" else _not_allowed("GET")
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
            case ("GET", ("v1", "jobs", job_id)):
                status = self.jobs.status(job_id)
                return Reply(200, {**status}) if status else _NO_JOB
            case ("POST", ("v1", "jobs", job_id, "cancel")):
                found = self.jobs.cancel(job_id)
                return Reply(200, {"status": "cancel_requested"}) if found else _NO_JOB
            case (_, ("v1", "ping" | "preflight") | ("v1", "jobs", _)):
                return _not_allowed("GET")
            case (_, ("v1", "jobs") | ("v1", "jobs", _, "cancel")):
                return _not_allowed("POST")
            case _:
                return Reply(404, {"error": "Not found"})

    def _refuse_stranger(self, environ: WSGIEnvironment) -> Reply | None:
        header = environ.get("HTTP_AUTHORIZATION", "")
        if not header:
            return Reply(
                401, {"error": "Authorization required"}, [("WWW-Authenticate", 'Bearer realm="worker"')]
            )
        scheme, _, token = header.partition(" ")
        is_known = hmac.compare_digest(token.strip().encode("latin-1"), self.config.token.encode())
        return None if scheme.lower() == "bearer" and is_known else Reply(403, {"error": "Wrong token"})

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
            "maxFileMB": self.config.max_file_mb,
            "activeJobs": self.jobs.active,
            "maxConcurrentJobs": self.config.max_concurrent_jobs,
            "queueSize": self.config.queue_size,
            "bootId": self.jobs.boot_id,
            "isReady": state.is_ready,
            "engine": self.config.engine_name,
            "rehearsal": self.config.is_rehearsal,
        }

    def _start(self, environ: WSGIEnvironment) -> Reply:
        raw = _read_body(environ)
        if raw is None:
            return _error(413, "INVALID_REQUEST", "The request is larger than 1 MiB.")
        key = environ.get("HTTP_IDEMPOTENCY_KEY", "").strip()
        if len(key) > 200:
            return _error(400, "INVALID_REQUEST", "Idempotency-Key: must have at most 200 characters")
        try:
            job_id, status, is_new = self.jobs.start(read_json(raw), key)
        except InvalidMessage as invalid:
            return _error(400, invalid.code, str(invalid))
        except KeyReused:
            return _error(422, "IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key stands for another job.")
        except WorkerBusy:
            wait = [("Retry-After", str(RETRY_AFTER))]
            return Reply(429, {"error": {"code": "BUSY", "message": "All places are taken."}}, wait)
        return Reply(201 if is_new else 200, {"workerJobId": job_id, "status": status})


_NO_JOB = Reply(404, {"error": "Job not found"})


def _read_body(environ: WSGIEnvironment) -> bytes | None:
    """The request's body, None where it is too large."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_REQUEST_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": message}})


def _not_allowed(method: str) -> Reply:
    return Reply(405, {"error": "Method not allowed"}, [("Allow", method)])


def _model_name(config: Config) -> str:
    """WORKER_MODEL without the folders of a path: /health is open to everybody."""
    return config.model.rsplit("/", 1)[-1]
