"""The job registry: accepts jobs once per key, within the capacity, for one controller."""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gpu_worker.config import Config
from gpu_worker.engine.handle import Engine
from gpu_worker.jobs.job import Job
from gpu_worker.jobs.journal import Entry, Journal
from gpu_worker.jobs.runner import Runner
from gpu_worker.logs import failed, log
from gpu_worker.server.metrics import Metrics
from gpu_worker.server.receive_push import PushUpload
from gpu_worker.shared.protocol import (
    LANGUAGES,
    WHISPER_MODELS,
    CompleteMessage,
    ErrorMessage,
    InvalidMessage,
    JobRequest,
    JobStatus,
    is_trusted_transport,
    origin,
    parse_job_request,
)

RETRY_AFTER = 5  # seconds after which a refused controller may ask again


class WorkerBusy(Exception):
    """Worker is at capacity."""


class KeyReused(Exception):
    """This idempotency key stands for another job."""


class JobOver(Exception):
    """The job has ended: it takes no file any more."""


class JobStore:
    """All jobs since the journal began. All methods may be called from any thread."""

    def __init__(
        self, config: Config, journal: Journal, engine: Engine, runner: Runner, metrics: Metrics
    ) -> None:
        self.boot_id = uuid.uuid4().hex
        self._config = config
        self._journal = journal
        self._engine = engine
        self._runner = runner
        self._metrics = metrics
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}  # those that are not settled
        self._origin = config.controller_origin

    @property
    def active(self) -> int:
        """Jobs that still need work of this machine."""
        with self._lock:
            return self._count_active()

    def recover(self) -> None:
        """Go on with what an earlier start left."""
        for entry in self._journal.recover():
            try:
                request = parse_job_request(entry.request)
            except InvalidMessage:  # written by another release
                log("job_not_recovered", workerJobId=entry.id)
                continue
            job = Job(entry.id, request, self.boot_id, self._metrics.spend)
            log("job_recovered", **job.ids, state=entry.state)
            with self._lock:
                self._jobs[job.id] = job
            self._launch(job, entry)

    def start(self, body: object, key: str) -> tuple[str, str, bool]:
        """Accept the job in `body` and return its id, its status and whether it is new.

        A key that was seen before gives the job it stands for. Raises InvalidMessage, KeyReused or
        WorkerBusy.
        """
        request = parse_job_request(body)
        assert isinstance(body, Mapping)  # parse_job_request refuses anything else
        key = key or _default_key(request)
        digest = _digest(body)
        with self._lock:
            known = self._journal.find_key(key)
            if known:
                return known.id, self._known_status(known, digest), False
            self._check(request)
            if self._count_active() >= self._config.capacity:
                raise WorkerBusy
            job = Job(uuid.uuid4().hex, request, self.boot_id, self._metrics.spend)
            self._journal.accept(job.id, key, digest, request.to_wire())
            self._jobs[job.id] = job
            if not request.is_push:
                self._origin = self._origin or origin(request.callback_url)
        log("job_created", **job.ids, files=len(request.inputs), model=request.options.model or None)
        self._launch(job, None)
        return job.id, "queued", True

    def status(self, job_id: str) -> JobStatus | None:
        """The answer to a poll; None where there is no such job, or a restart lost it."""
        job = self._find(job_id)
        if job:
            return None if job.is_forgotten else job.snapshot(self._engine.state.gpu)
        entry = self._journal.find(job_id)
        return entry.status if entry else None

    def cancel(self, job_id: str) -> bool:
        """Ask a job to stop; returns whether there is such a job."""
        job = self._find(job_id)
        if job:
            if not job.is_over:
                log("cancel_requested", **job.ids)
                job.cancel()
            return True
        entry = self._journal.find(job_id)
        return bool(entry and entry.status)

    def push_upload(self, job_id: str, input_id: str) -> PushUpload | None:
        """Where a file of a push job comes in; None where there is no such file. Raises JobOver."""
        job = self._find(job_id)
        if job and not job.is_over and not job.is_canceled():
            return job.push_uploads.get(input_id)
        if self.status(job_id):
            raise JobOver
        return None

    def output(self, job_id: str, input_id: str, kind: str) -> Path | None:
        """Where a finished document lies; None where there is none."""
        return self._journal.output(job_id, input_id, kind)

    def delete(self, job_id: str) -> bool:
        """Stop the job if it runs, drop its files and documents; returns whether it was ever known."""
        with self._lock:
            job = self._jobs.get(job_id)
            if job:  # its thread deletes it once it has ended
                job.is_forgotten = True
        if job:
            log("job_deleted", **job.ids)
            job.cancel()
            return True
        if not self._journal.find(job_id):
            return False
        self._journal.delete(job_id)
        return True

    def count(self) -> dict[str, int]:
        """How many jobs there are in each status; those that are settled do not count."""
        with self._lock:
            return Counter(job.status for job in self._jobs.values())

    def _find(self, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get(job_id)

    def _count_active(self) -> int:
        return sum(not job.is_over and not job.is_delivering for job in self._jobs.values())

    def _known_status(self, known: Entry, digest: str) -> str:
        if known.body_hash != digest:
            raise KeyReused
        job = self._jobs.get(known.id)
        if job:
            return job.status
        # A job that a restart lost is not run again: its id is answered, and polls say 404.
        return known.status["status"] if known.status else "failed"

    def _check(self, request: JobRequest) -> None:
        """Refuse what this worker cannot do; raises InvalidMessage."""
        options = request.options
        if options.model and options.model not in (*WHISPER_MODELS, self._config.model):
            raise InvalidMessage(
                "options.model", f"must be one of {', '.join(WHISPER_MODELS)}", code="UNKNOWN_MODEL"
            )
        if options.language and options.language not in LANGUAGES:
            raise InvalidMessage("options.language", "must be a language code that Whisper knows, such as en")
        for index, spec in enumerate(request.inputs):
            if spec.size_bytes > self._config.max_file_bytes:
                limit = f"must not exceed {self._config.max_file_mb} MB (WORKER_MAX_FILE_MB)"
                raise InvalidMessage(f"inputs[{index}].sizeBytes", limit, code="INPUT_TOO_LARGE")
        if request.is_push:
            _check_ids(request)
        else:
            self._check_origins(request)

    def _check_origins(self, request: JobRequest) -> None:
        """The token goes to one controller only, and nothing is fetched from anywhere else."""
        expected = self._origin or origin(request.callback_url)
        urls = {"callbackUrl": request.callback_url, "outputsUploadUrl": request.outputs_upload_url}
        urls |= {f"inputs[{i}].downloadUrl": spec.download_url for i, spec in enumerate(request.inputs)}
        for name, url in urls.items():
            if origin(url) != expected:
                raise InvalidMessage(name, f"must be at {expected}", code="ORIGIN_REFUSED")
            if not self._config.allow_insecure and not is_trusted_transport(url):
                why = "must be https (or set ALLOW_INSECURE_WORKER=1 on the worker)"
                raise InvalidMessage(name, why, code="ORIGIN_REFUSED")

    def _launch(self, job: Job, entry: Entry | None) -> None:
        """Begin, or go on after a restart, in a thread of its own."""
        outcome = entry.outcome if entry else None
        if outcome is None:
            try:
                self._runner.open(job)
            except OSError:
                self._fail(job)
                self._leave(job)
                return
        threading.Thread(target=self._run, args=(job, outcome), name=f"job-{job.id}", daemon=True).start()

    def _run(self, job: Job, outcome: CompleteMessage | None) -> None:
        try:
            if outcome:
                self._runner.resume(job, outcome)
            else:
                self._runner.run(job)
        except Exception:  # the end of the thread: a job must never stay "running" for ever
            self._fail(job)
        self._leave(job)

    def _leave(self, job: Job) -> None:
        """The job has ended: from here on the journal answers for it, unless results are still unsent."""
        self._metrics.end(job.status)
        entry = self._journal.find(job.id)
        with self._lock:
            if job.is_forgotten:
                self._journal.delete(job.id)
            if job.is_forgotten or (entry and entry.status):
                self._jobs.pop(job.id, None)

    def _fail(self, job: Job) -> None:
        failed("job_error", **job.ids)
        message = "The worker encountered an unexpected error. See its log for details."
        job.end("failed", ErrorMessage(code="PROCESSING_ERROR", message=message))
        self._journal.settle(job.id, job.snapshot(self._engine.state.gpu))


def _check_ids(request: JobRequest) -> None:
    """In push mode an input's id is a part of an address."""
    for index, spec in enumerate(request.inputs):
        if "/" in spec.input_id:
            raise InvalidMessage(f"inputs[{index}].inputId", "must not hold /")


def _default_key(request: JobRequest) -> str:
    return json.dumps([request.controller_job_id, *(spec.input_id for spec in request.inputs)])


def _digest(body: Mapping[str, Any]) -> str:
    """A hash of what the job asks for. A link signed again for the same file is the same job."""
    inputs = [
        {**entry, "downloadUrl": urlsplit(entry.get("downloadUrl") or "")._replace(query="").geturl()}
        for entry in body["inputs"]
    ]
    text = json.dumps({**body, "inputs": inputs}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
