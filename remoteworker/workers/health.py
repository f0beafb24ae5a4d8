"""The health of workers: pings, failures to answer, and the state as shown to people and programs."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce

from gpu_worker.shared.protocol import parse_capabilities
from remoteworker import clock
from remoteworker.models import Worker
from remoteworker.workers.client import WorkerError, WorkerRefused
from remoteworker.workers.registry import client_of

log = logging.getLogger(__name__)


def ping(worker: Worker) -> bool:
    """Ping a worker and record the response; return whether it is available."""
    started = time.monotonic()
    try:
        with client_of(worker) as client:
            answer = client.ping()
    except WorkerError as failure:
        code = failure.code if isinstance(failure, WorkerRefused) else "UNREACHABLE"
        note_failure(worker, code, str(failure))
        return False
    if not worker.is_connected:
        log.info("worker connected", extra={"worker": worker.name})
    now = clock.now()
    Worker.objects.filter(pk=worker.pk).update(
        is_connected=True, failures=0, unreachable_since=None, last_error=None, checked_at=now, last_ping_at=now,
        latency_ms=round((time.monotonic() - started) * 1000, 1), capabilities=answer,
    )  # fmt: skip
    if worker.reported.is_full and not parse_capabilities(answer).is_full:
        Worker.objects.filter(pk=worker.pk, busy_until__gt=now).update(busy_until=now)
    return True


def note_failure(worker: Worker, code: str, message: str) -> None:
    """Record a communication failure; the worker gets no new files until a ping succeeds."""
    if worker.is_connected:
        log.warning(
            "worker communication error", extra={"worker": worker.name, "code": code, "reason": message}
        )
    now = clock.now()
    Worker.objects.filter(pk=worker.pk).update(
        is_connected=False,
        failures=F("failures") + 1,
        unreachable_since=Coalesce("unreachable_since", now),
        checked_at=now,
        last_error={"code": code, "message": message},
    )
    worker.is_connected = False


def state(worker: Worker) -> str:
    """Return the status of a worker as one word."""
    if worker.is_retired or not worker.enabled:
        return "retired" if worker.is_retired else "disabled"
    if not worker.is_connected:
        return "unreachable" if worker.checked_at else "starting"
    return "draining" if worker.drain else "ready"


def status() -> dict[str, Any]:
    """Return the response of GET /api/remote-worker/status from the rows, without addresses and tokens."""
    mode = settings.REMOTE_WORKER_MODE
    remotes = list(Worker.usable().filter(kind=Worker.Kind.REMOTE).order_by("-is_connected", "name"))
    first = remotes[0] if remotes else None
    said = first.capabilities if first else {}  # as the worker said it, null where it did not
    return {
        "enabled": mode != "off",
        "configured": bool(remotes),
        "mode": mode,
        "connected": bool(first and first.is_connected and mode != "off"),
        "lastPingAt": first.last_ping_at.isoformat() if first and first.last_ping_at else None,
        "latencyMs": first.latency_ms if first else None,
        "workerVersion": said.get("version"),
        "workerCapabilities": {
            name: said.get(name)
            for name in ("gpu", "gpuName", "cuda", "models", "diarization", "maxFileMB", "maxConcurrentJobs")
        },
        "identity": said.get("identity"),
        "error": first.last_error if first else None,
        "workers": [{"connected": worker.is_connected, "latencyMs": worker.latency_ms} for worker in remotes],
    }
