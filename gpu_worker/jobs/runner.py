"""Runs a job: download, decode, transcribe, and write back, file by file."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import Any

from gpu_worker.config import Config
from gpu_worker.directories import Directories, has_room
from gpu_worker.engine.handle import Engine, Task
from gpu_worker.errors import Canceled, Fault, disk_fault
from gpu_worker.inputs.input_cache import media_path
from gpu_worker.inputs.prefetch import Prefetcher
from gpu_worker.jobs.admission import ByteBudget, FairSemaphore
from gpu_worker.jobs.job import Job
from gpu_worker.jobs.journal import Journal
from gpu_worker.logs import failed, log
from gpu_worker.outputs.delivery import Delivery
from gpu_worker.outputs.writeback import Output, Verdict, Writeback
from gpu_worker.server.metrics import Metrics
from gpu_worker.server.receive_push import PushUpload
from gpu_worker.shared.protocol import CompleteMessage, ErrorMessage, FinalStatus, InputSpec, OutputRef
from gpu_worker.shared.units import MEBIBYTE

AHEAD_BYTES = 2048 * MEBIBYTE  # of files and samples that lie ready for the engine
UNDELIVERED = "REMOTE_OUTPUTS_MISSING"
SUFFIXES = {
    "json": "json",
    "markdown": "md",
    "diarization-json": "diarization.json",
    "speaker-markdown": "speakers.md",
}


class Runner:
    """Runs jobs, each in the thread that calls it; files of several jobs meet at the engine's slots."""

    def __init__(
        self, config: Config, journal: Journal, engine: Engine, directories: Directories, metrics: Metrics
    ) -> None:
        self._config = config
        self._journal = journal
        self._engine = engine
        self._directories = directories
        self._metrics = metrics
        self.engine_slots = FairSemaphore(config.max_concurrent_jobs)
        self._budget = ByteBudget(AHEAD_BYTES)

    def open(self, job: Job) -> None:
        """Make room for an accepted job; from here on a push job takes slices."""
        folder = self._directories.scratch / job.id
        folder.mkdir(mode=0o700)
        if job.request.is_push:
            job.push_uploads = {
                spec.input_id: self._push_upload(job, spec, media_path(folder, index, spec))
                for index, spec in enumerate(job.request.inputs)
            }

    def _push_upload(self, job: Job, spec: InputSpec, path: Path) -> PushUpload:
        push_upload = PushUpload(spec, path)
        if self._directories.input_cache.take(spec, path, lambda _seconds: None):
            log("input_reused", **job.ids, bytes=spec.size_bytes)
            push_upload.adopt()
        elif not has_room(path.parent, spec.size_bytes):
            self._directories.input_cache.clear()
        return push_upload

    def run(self, job: Job) -> None:
        """Take an opened job to its end."""
        folder = self._directories.scratch / job.id
        delivery = Delivery(job, self._journal, self._writeback(job))
        prefetcher = Prefetcher(job, self._config, folder, self._budget, self._directories.input_cache)
        try:
            outcome = self._work(job, delivery, prefetcher)
        except Canceled:
            outcome = _outcome(job, "canceled", [])
        finally:
            prefetcher.close()
            shutil.rmtree(folder, ignore_errors=True)
        self._journal.finish(job.id, outcome)
        if job.request.is_push:
            delivery.dismiss()
            self._hold(job, outcome)
        else:
            self.deliver(job, outcome, delivery)

    def resume(self, job: Job, outcome: CompleteMessage) -> None:
        """After a restart: deliver what is left of a finished job."""
        if job.request.is_push:
            self._hold(job, outcome)
            return
        delivery = Delivery(job, self._journal, self._writeback(job))
        waiting = self._journal.undelivered(job.id)
        missing = {(output.input_id, output.type) for output in waiting}
        for ref in outcome["outputs"]:
            if (ref["inputId"], ref["type"]) not in missing:
                job.add_output(ref)
        delivery.take(waiting)
        self.deliver(job, outcome, delivery)

    def deliver(self, job: Job, outcome: CompleteMessage, delivery: Delivery) -> None:
        """Wait for the documents to arrive, say how the job ended, and settle it."""
        if outcome["status"] == "failed" and not outcome["outputs"]:
            job.end("failed", outcome["error"])  # a poll may tell it before the callback gets through
        try:
            if outcome["status"] == "canceled":
                raise Canceled
            job.enter_stage("uploading")
            verdict = delivery.finish()
            if verdict == "accepted":
                verdict = self._writeback(job).send_complete(outcome)
        except Canceled:
            verdict = self._deliver_cancel(job, delivery)
        _conclude(job, outcome, verdict)
        if verdict != "unreachable":
            self._journal.settle(job.id, job.snapshot(self._engine.state.gpu))

    def _hold(self, job: Job, outcome: CompleteMessage) -> None:
        """Push mode: the controller fetches the documents when a poll tells it to."""
        if outcome["status"] == "canceled":
            job.end("canceled", _why_canceled(job))
            self._journal.settle(job.id, job.snapshot(self._engine.state.gpu))
            return
        for output in outcome["outputs"]:
            job.add_output(output)
        job.end(outcome["status"], outcome["error"])
        self._journal.hold(job.id, job.snapshot(self._engine.state.gpu))

    def _deliver_cancel(self, job: Job, delivery: Delivery) -> Verdict:
        job.end("canceled", _why_canceled(job))
        delivery.dismiss()
        if delivery.verdict == "gone":
            return "gone"
        final_writeback = Writeback(job.id, job.request, self._config.tokens, pause=time.sleep)
        final_writeback.send_complete(_outcome(job, "canceled", []))
        return "gone"

    def _work(self, job: Job, delivery: Delivery, prefetcher: Prefetcher) -> CompleteMessage:
        """Work through the files; one bad file does not stop the others."""
        made: list[Output] = []
        error: ErrorMessage | None = None
        for index in range(len(job.request.inputs)):
            job.pause()
            if delivery.verdict != "accepted":
                break
            try:
                outputs = self._one_file(job, index, prefetcher)
            except Fault as fault:
                log("file_failed", **job.ids, file=index, code=fault.code, reason=str(fault))
                job.note(f"File {index + 1}: {fault}")
                error = error or ErrorMessage(code=fault.code, message=str(fault))
            else:
                self._journal.add_outputs(job.id, outputs)
                if not job.request.is_push:
                    delivery.take(outputs)
                made += outputs
        return _outcome(job, "failed" if error else "complete", made, error)

    def _one_file(self, job: Job, index: int, prefetcher: Prefetcher) -> list[Output]:
        """Raises Fault or Canceled; leaves nothing of this file behind."""
        job.enter_file(index)
        try:
            prepared = prefetcher.take(index)
            job.set_duration(prepared.seconds)
            job.enter_stage("queued")
            with self.engine_slots.hold(job.pause):
                self._journal.start(job.id)
                outputs = self._recognize(job, index, prepared.samples)
            self._metrics.hear(prepared.seconds)
            return outputs
        except OSError as failure:
            failed("file_error", **job.ids, file=index)
            other = Fault("PROCESSING_ERROR", f"The worker failed ({type(failure).__name__}).")
            raise disk_fault(failure) or other from failure
        finally:
            prefetcher.drop(index)

    def _recognize(self, job: Job, index: int, samples: Path) -> list[Output]:
        request, spec = job.request, job.request.inputs[index]
        results = self._journal.results_folder(job.id)
        outputs = {
            kind: _output(spec, kind, results / f"{index}.{suffix}") for kind, suffix in SUFFIXES.items()
        }
        task = Task(
            id=f"{job.id}/{index}",
            model=request.options.model or self._config.model,
            options=request.options.to_wire(),
            audio=samples,
            title=spec.filename,
            documents={kind: output.path for kind, output in outputs.items()},
        )

        def report(message: dict[str, Any]) -> None:
            if message["event"] == "stage":
                job.enter_stage(message["stage"])
            elif message["event"] == "listening":
                job.listen(message["seconds"])
            elif message["event"] == "diarizing":
                job.diarize(message["share"])
            else:
                job.reach(message["seconds"])

        job.enter_stage("loading_model")
        done = self._engine.recognize(task, job.is_canceled, report)
        speakers = f", {done['speakers']} speakers" if request.options.diarization_enabled else ""
        job.note(
            f"Transcribed: language {done['language'] or 'unknown'}, {done['segments']} segments{speakers}"
        )
        return [outputs[kind] for kind in done["documents"]]

    def _writeback(self, job: Job) -> Writeback:
        return Writeback(job.id, job.request, self._config.tokens, job.pause)


def _output(spec: InputSpec, kind: str, path: Path) -> Output:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", spec.input_id)  # it travels in a header
    return Output(spec.input_id, kind, f"{name}.{SUFFIXES[kind]}", path)


def _outcome(
    job: Job, status: FinalStatus, outputs: list[Output], error: ErrorMessage | None = None
) -> CompleteMessage:
    return CompleteMessage(
        workerJobId=job.id,
        controllerJobId=job.request.controller_job_id,
        status=status,
        outputs=[OutputRef(inputId=o.input_id, filename=o.filename, type=o.type) for o in outputs],
        error=error,
        attempt=job.request.attempt,
    )


def _why_canceled(job: Job) -> ErrorMessage | None:
    if not job.is_expired():
        return None
    return ErrorMessage(code="CANCELED", message="The deadline of this attempt has passed.")


def _conclude(job: Job, outcome: CompleteMessage, verdict: Verdict) -> None:
    """Set the final status by what the controller said."""
    if verdict == "accepted":
        job.end(outcome["status"], outcome["error"])
    elif verdict == "gone":
        job.end("canceled")
    elif verdict == "refused":
        job.end("failed", ErrorMessage(code=UNDELIVERED, message="The controller rejected the results."))
    else:
        text = "The controller could not be reached. The results are kept and sent when the worker restarts."
        job.end("failed", ErrorMessage(code=UNDELIVERED, message=text))
