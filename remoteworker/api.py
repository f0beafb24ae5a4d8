"""Capabilities of the workers for programs, without addresses and tokens."""

from django.http import HttpRequest
from ninja import Router

from jobs.api.schemas import Moment, Told
from remoteworker.models import Worker
from remoteworker.workers import health, registry

router = Router(by_alias=True, tags=["Workers"])


class WorkerRow(Told):
    id: int
    kind: str
    state: str
    connected: bool
    last_contact_at: Moment | None
    models: list[str]
    tells_speakers: bool
    gpu: str
    capacity: int
    active: int


class WorkerList(Told):
    workers: list[WorkerRow]


@router.get("/workers", url_name="api-workers", response=WorkerList)
def get_workers(request: HttpRequest) -> WorkerList:
    """List the enabled workers with their capabilities and capacity."""
    return WorkerList(workers=[_row(worker) for worker in registry.enabled_workers().order_by("pk")])


def _row(worker: Worker) -> WorkerRow:
    said = worker.reported
    return WorkerRow(
        id=worker.pk,
        kind=worker.kind,
        state=health.state(worker),
        connected=worker.is_connected,
        last_contact_at=worker.last_ping_at.isoformat() if worker.last_ping_at else None,
        models=worker.models_at_hand,
        tells_speakers=said.tells_speakers,
        gpu=said.gpu_name,
        capacity=worker.slots,
        active=int(getattr(worker, "active", 0)),
    )
