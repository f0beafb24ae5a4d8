"""What all workers together offer to the job form. It is read from the rows; no worker is asked."""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext as _

from jobs.ports.worker_capabilities import Offer
from remoteworker.models import Worker
from remoteworker.workers.registry import kind_for


def current() -> Offer:
    """Return the capabilities for the job form, without contacting workers."""
    mode = settings.REMOTE_WORKER_MODE
    kinds = [kind_for(False)] if mode != "optional" else list(Worker.Kind)
    rows = [worker for worker in Worker.objects.filter(is_retired=False) if worker.kind in kinds]
    connected = [worker for worker in rows if worker.enabled and worker.is_connected]
    models = dict.fromkeys(name for worker in connected for name in _default_first(worker))
    has_remotes = any(worker.kind == Worker.Kind.REMOTE for worker in rows) or bool(
        settings.REMOTE_WORKER_URL
    )
    return Offer(
        models=tuple(models),
        tells_speakers=not connected or any(worker.reported.tells_speakers for worker in connected),
        has_toggle=mode == "optional" and has_remotes,
        notices={kind == Worker.Kind.REMOTE: _notice(kind, rows) for kind in kinds},
    )


def _default_first(worker: Worker) -> Iterable[str]:
    said = worker.reported
    return sorted(said.models, key=lambda name: name != said.model)


def _notice(kind: Worker.Kind, rows: list[Worker]) -> str:
    """Return the notice while no worker of this kind is available; `rows` includes disabled ones."""
    own = [worker for worker in rows if worker.kind == kind]
    usable = [worker for worker in own if worker.enabled]
    if any(worker.is_connected for worker in usable):
        return ""
    if kind == Worker.Kind.REMOTE:
        return _remote_notice(own)
    if any(worker.checked_at is None for worker in usable):
        return _("The worker is starting.")
    return _("The local worker is unreachable. Jobs stay queued until it is back.")


def _remote_notice(rows: list[Worker]) -> str:
    if not rows and not settings.REMOTE_WORKER_URL:
        return _(
            "No GPU worker is configured. Set REMOTE_WORKER_URL or add one in admin. GPU jobs stay queued until then."
        )
    if rows and not any(worker.enabled for worker in rows):
        return _("All GPU workers are disabled. Enable one in admin. GPU jobs stay queued until then.")
    return _(
        "No GPU worker is reachable. Start one, or check the worker status in admin. GPU jobs stay queued until then."
    )
