"""The workers there are: rows from the settings, pings, who takes the next input, what they offer together."""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from gpu_worker.shared.units import MEGABYTE
from jobs.media import serving
from jobs.ports.worker_capabilities import Offer, runs_remotely
from remoteworker import clock
from remoteworker.models import Attempt, Worker, places
from remoteworker.scheduling.scheduler import WorkerCandidate, learn, speed
from remoteworker.workers.client import WorkerClient, WorkerError, WorkerRefused

log = logging.getLogger(__name__)
LONGEST_BUSY = timedelta(seconds=300)  # that a full worker is left alone
CAREFUL = timedelta(seconds=600)  # after it: one file at a time, since nobody knows how many it takes


def sync_from_settings() -> None:
    """Make the rows of the workers that the settings name; disable those they no longer name."""
    named: set[str] = set()
    if settings.LOCAL_WORKER_TOKEN:
        _ensure(settings.LOCAL_WORKER_URL, Worker.Kind.LOCAL, settings.LOCAL_WORKER_TOKEN)
        named.add(settings.LOCAL_WORKER_URL)
    for url in settings.REMOTE_WORKER_URL:
        _ensure(url, Worker.Kind.REMOTE, settings.REMOTE_WORKER_TOKEN)
        named.add(url)
    gone = Worker.objects.filter(from_settings=True, is_retired=False).exclude(url__in=named)
    gone.update(is_retired=True, is_connected=False)


def _ensure(url: str, kind: Worker.Kind, token: str) -> None:
    """Make or correct one row. What a person chose in admin (disabled, drained, an own row) stays."""
    worker = Worker.objects.filter(url=url).first()
    if worker is None:
        worker = Worker(url=url, from_settings=True, name=_free_name(url, kind))
    elif not worker.from_settings or (worker.token, worker.kind, worker.is_retired) == (token, kind, False):
        return
    worker.kind, worker.token, worker.is_retired = kind, token, False
    try:
        with transaction.atomic():
            worker.save()
    except IntegrityError:
        log.info("worker row made by another process", extra={"worker": worker.name})


def _free_name(url: str, kind: Worker.Kind) -> str:
    parts = urlsplit(url)
    name = "local" if kind == Worker.Kind.LOCAL else f"{parts.hostname}:{parts.port or parts.scheme}"
    return name if not Worker.objects.filter(name=name).exists() else f"{name} ({url})"[:200]


def client_of(worker: Worker) -> WorkerClient:
    """Return a client that speaks to this worker."""
    return WorkerClient(worker.url, worker.token)


def ping(worker: Worker) -> bool:
    """Ask a worker what it is and note the answer; return whether it can take work."""
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
    if _says_full(worker.capabilities) and not _says_full(answer):
        Worker.objects.filter(pk=worker.pk, busy_until__gt=now).update(busy_until=now)
    return True


def _says_full(said: dict[str, Any]) -> bool:
    """Whether a worker counts as many jobs as it takes, whoever they are from."""
    active = said.get("activeJobs")
    return isinstance(active, int) and active >= places(said)


def note_failure(worker: Worker, code: str, message: str) -> None:
    """Note that a worker could not be spoken to; it gets no new work until a ping succeeds."""
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


def enabled_workers() -> QuerySet[Worker]:
    """The workers to speak to, with `active` attempts and `pending` cancels counted, in one query."""
    return Worker.usable().annotate(
        active=_count(Attempt.objects.filter(ended_at=None)),
        pending=_count(Attempt.objects.filter(cancel_pending=True)),
    )


def _count(attempts: QuerySet[Attempt]) -> Coalesce:
    """Count in a subquery of its own, so that the partial index is used and ended attempts cost nothing."""
    of_worker = attempts.filter(worker=OuterRef("pk")).order_by().values("worker")
    return Coalesce(Subquery(of_worker.annotate(n=Count("pk")).values("n")), 0)


def free_slots(worker: Worker) -> int:
    """How many more inputs this worker may be given now. `worker` comes from enabled_workers."""
    if worker.drain or not worker.is_connected:
        return 0
    active = int(getattr(worker, "active", 0))
    room = max(0, worker.slots - active)
    if worker.busy_until is None or not room:
        return room
    ahead = worker.busy_until - clock.now()
    if ahead < -CAREFUL:
        return room
    is_full = timedelta(0) < ahead <= LONGEST_BUSY  # further ahead: of before the clock went back
    return 0 if is_full and active >= worker.busy_with else 1


def note_busy(worker: Worker, retry_after: float) -> None:
    """It has no room, it says: nothing is claimed for it for so many seconds, or until a file of its own ends.

    Longer each time in a row: it may be full of another controller's files for hours.
    """
    times = Worker.objects.values_list("refusals", flat=True).get(pk=worker.pk) + 1
    seconds = max(retry_after, settings.BUSY_SECONDS * 2 ** min(times - 1, 10))
    Worker.objects.filter(pk=worker.pk).update(
        refusals=times,
        busy_until=clock.now() + min(LONGEST_BUSY, timedelta(seconds=seconds)),
        busy_with=worker.active_attempts().exclude(worker_job_id="").count(),
    )


def note_taken(worker: Worker) -> None:
    """It took a file: it may be asked for another one now."""
    Worker.objects.filter(pk=worker.pk, refusals__gt=0).update(refusals=0, busy_until=clock.now())


def candidates(kind: Worker.Kind) -> list[WorkerCandidate]:
    """Return the workers of this kind that take work, full or not, as the choice between them needs to know them."""
    present = [
        worker
        for worker in enabled_workers()
        if worker.kind == kind and worker.is_connected and not worker.drain and worker.slots
    ]
    work = _backlogs([worker for worker in present if free_slots(worker)])
    return [
        WorkerCandidate(
            worker_id=worker.pk,
            free=free_slots(worker),
            backlog=work.get(worker.pk, 0.0),
            parallel=worker.parallel,
            speeds=worker.speeds,
            has_gpu=bool(worker.capabilities.get("gpu")),
            models=frozenset(worker.models_at_hand),
            max_bytes=max_bytes(worker),
            tells_speakers=not worker.capabilities.get("diarizationTrouble"),
        )
        for worker in present
    ]


def _backlogs(workers: list[Worker]) -> dict[int, float]:
    """Seconds that each worker needs for what it has, by what was learned of its speed."""
    by_pk = {worker.pk: worker for worker in workers}
    seconds = dict.fromkeys(by_pk, 0.0)
    held = Attempt.objects.filter(ended_at=None, worker__in=workers).values_list(
        "worker_id",
        "job_input__job__model",
        "job_input__percent",
        "job_input__audio_duration",
        "job_input__upload__name",
        "job_input__upload__size_bytes",
    )
    for worker_id, model, percent, known, name, size in held:
        worker = by_pk[worker_id]
        pace = speed(worker.speeds, model, has_gpu=bool(worker.capabilities.get("gpu")))
        seconds[worker_id] += (known or serving.usual_seconds(name, size)) * (1 - percent / 100) / pace
    return seconds


def max_bytes(worker: Worker) -> int | None:
    """How large a file may be for this worker, as it says; None: it does not say."""
    said = worker.capabilities.get("maxFileMB")
    return said * MEGABYTE if isinstance(said, int) and said > 0 else None


def learn_speed(attempt: Attempt, audio_seconds: float, at: datetime) -> None:
    """Remember how fast the worker of a completed attempt was, from when it was seen at work on it.

    Where no poll saw that, it began when it was accepted, or when the worker was done with the one before.
    """
    worker, begins = attempt.worker, [attempt.began_at or attempt.accepted_at]
    if attempt.began_at is None:
        done = worker.attempts.filter(outcome=Attempt.Outcome.COMPLETE).exclude(pk=attempt.pk)
        begins.append(done.aggregate(last=Max("ended_at"))["last"])
    took = (at - max(begin for begin in begins if begin is not None)).total_seconds() if any(begins) else 0.0
    if took <= 0 or audio_seconds <= 0:
        return
    current = Worker.objects.get(pk=worker.pk)
    speeds = learn(current.speeds, attempt.job_input.job.model, audio_seconds, took)
    Worker.objects.filter(pk=worker.pk).update(speeds=speeds)


def hold(worker_id: int, name: str) -> bool:
    """Claim a worker for one poller (`polled_until`) or one hand-over (`handed_until`); False where it is taken.

    The messages for a frozen worker must not pile up and hold every thread.
    """
    until = clock.now() + timedelta(seconds=settings.CLAIM_SECONDS)
    return bool(Worker.objects.filter(is_free(name), pk=worker_id).update(**{name: until}))


def is_free(name: str) -> Q:
    """Whether a claim that ends at the time `name` is over. One too far ahead is of before the clock went back."""
    now = clock.now()
    ahead = now + timedelta(seconds=settings.CLAIM_SECONDS)
    return Q(**{name: None}) | Q(**{f"{name}__lt": now}) | Q(**{f"{name}__gt": ahead})


def release(worker_id: int, name: str) -> None:
    """End a claim of `hold`."""
    Worker.objects.filter(pk=worker_id).update(**{name: None})


def state(worker: Worker) -> str:
    """Say in one word how a worker is."""
    if worker.is_retired or not worker.enabled:
        return "retired" if worker.is_retired else "disabled"
    if not worker.is_connected:
        return "unreachable" if worker.checked_at else "starting"
    return "draining" if worker.drain else "ready"


def kind_for(use_remote: bool) -> Worker.Kind:
    """The kind of worker that takes a job."""
    return Worker.Kind.REMOTE if runs_remotely(use_remote) else Worker.Kind.LOCAL


def offer() -> Offer:
    """Return what the job form offers; from the rows, asks no worker."""
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
        tells_speakers=not connected or not all(w.capabilities.get("diarizationTrouble") for w in connected),
        has_toggle=mode == "optional" and has_remotes,
        notices={kind == Worker.Kind.REMOTE: _notice(kind, rows) for kind in kinds},
    )


def _default_first(worker: Worker) -> Iterable[str]:
    default = worker.capabilities.get("model")
    names = worker.models_at_hand
    return sorted(names, key=lambda name: name != default)


def _notice(kind: Worker.Kind, rows: list[Worker]) -> str:
    """What people are told while no worker of this kind is there; `rows`: the disabled ones too."""
    own = [worker for worker in rows if worker.kind == kind]
    usable = [worker for worker in own if worker.enabled]
    if any(worker.is_connected for worker in usable):
        return ""
    if kind == Worker.Kind.REMOTE:
        return _remote_notice(own)
    if any(worker.checked_at is None for worker in usable):
        return _("The worker is starting.")
    return _("The worker on this machine cannot be reached. Jobs wait until it is back.")


def _remote_notice(rows: list[Worker]) -> str:
    if not rows and not settings.REMOTE_WORKER_URL:
        return _(
            "No GPU worker is configured. Set REMOTE_WORKER_URL or add one in admin; jobs for a GPU wait until then."
        )
    if rows and not any(worker.enabled for worker in rows):
        return _("Every GPU worker is disabled. Enable one in admin; jobs for a GPU wait until then.")
    return _(
        "No GPU worker can be reached. Start one, or see in admin what keeps it; jobs for a GPU wait until then."
    )


def status() -> dict[str, Any]:
    """Return the answer of GET /api/remote-worker/status: from the rows, no address and no token in it."""
    mode = settings.REMOTE_WORKER_MODE
    remotes = list(Worker.usable().filter(kind=Worker.Kind.REMOTE).order_by("-is_connected", "name"))
    first = remotes[0] if remotes else None
    said = first.capabilities if first else {}
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
