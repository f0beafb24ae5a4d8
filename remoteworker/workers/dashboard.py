"""Status of all workers, for the live page in admin and `manage.py worker_status`. Reads only the database."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jobs.models import JobInput
from jobs.statuses import InputStatus
from remoteworker import clock
from remoteworker.models import Attempt, Worker
from remoteworker.workers import health

SHOWN_FILES = 20  # of one worker


def workers() -> list[dict[str, Any]]:
    """Return a row per worker, inactive ones last."""
    rows = list(Worker.objects.all())
    held, now = _held(rows), clock.now()
    found = [_row(worker, held.get(worker.pk, []), now) for worker in rows]
    return sorted(found, key=lambda row: row["state"] in ("disabled", "retired"))


def queued() -> int:
    """Return the number of queued files."""
    return JobInput.objects.filter(status=InputStatus.QUEUED).count()


def _row(worker: Worker, files: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    is_busy = worker.busy_until is not None and worker.busy_until > now
    return {
        "id": worker.pk,
        "name": worker.name,
        "kind": worker.get_kind_display(),
        "state": health.state(worker),
        "active": len(files),
        "slots": worker.slots,
        "speeds": [{"model": model, "speed": speed} for model, speed in worker.speeds.items()],
        "lastContact": worker.last_ping_at,
        "unreachableSince": worker.unreachable_since,
        "busyUntil": worker.busy_until if is_busy else None,
        "failures": worker.failures,
        "isCircuitOpen": worker.is_circuit_open,
        "latencyMs": worker.latency_ms,
        "gpu": worker.reported.gpu_name,
        "version": worker.reported.version,
        "trouble": str((worker.last_error or {}).get("message", "")),
        "files": files[:SHOWN_FILES],
        "more": max(0, len(files) - SHOWN_FILES),
    }


def _held(rows: Iterable[Worker]) -> dict[int, list[dict[str, Any]]]:
    """Return the current files of each worker, in one query."""
    found: dict[int, list[dict[str, Any]]] = {}
    held = Attempt.objects.filter(ended_at=None, worker__in=list(rows)).order_by("created_at")
    for attempt in held.select_related("job_input__upload", "worker"):
        entry = attempt.job_input
        found.setdefault(attempt.worker_id, []).append(
            {
                "id": entry.pk,
                "name": entry.upload.name,
                "stage": entry.stage or entry.status,
                "percent": round(entry.percent),
                "givenUpAt": attempt.lease_until if attempt.worker.unreachable_since else None,
            }
        )
    return found
