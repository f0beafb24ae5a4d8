"""Prepares the files of a job for the engine, one file ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from gpu_worker.config import Config
from gpu_worker.directories import has_room
from gpu_worker.errors import Canceled, Fault, disk_fault
from gpu_worker.inputs import audio
from gpu_worker.inputs.fetch import Fetch
from gpu_worker.inputs.input_cache import InputCache, media_path
from gpu_worker.jobs.admission import ByteBudget
from gpu_worker.jobs.job import Job
from gpu_worker.logs import failed, log
from gpu_worker.shared.protocol import InputSpec
from gpu_worker.shared.units import MEGABYTE
from gpu_worker.sound import SAMPLE_RATE

LOOK_SECONDS = 0.1
BYTES_A_SAMPLE = 4


@dataclass(frozen=True)
class Prepared:
    """A decoded file: raw mono float32 at SAMPLE_RATE."""

    samples: Path
    count: int

    @property
    def seconds(self) -> float:
        """How long the recording is."""
        return self.count / SAMPLE_RATE


class Prefetcher:
    """Two threads that prepare the files of a job in order, within the budget: one downloads and verifies,
    the other decodes."""

    def __init__(
        self, job: Job, config: Config, folder: Path, budget: ByteBudget, input_cache: InputCache
    ) -> None:
        self._job = job
        self._config = config
        self._folder = folder
        self._budget = budget
        self._input_cache = input_cache
        self._due = -1  # the file that the job waits for, or works on
        self._is_closed = False
        self._counting = threading.Lock()
        count = len(job.request.inputs)
        self._stages = ["downloading"] * count
        self._taken = [0] * count  # bytes of the budget
        self._found: list[Future[Prepared]] = [Future() for _ in range(count)]
        self._brought: SimpleQueue[int | None] = SimpleQueue()  # None: there are no more
        for part in (self._bring_all, self._decode_all):
            threading.Thread(target=part, name=f"ahead-{job.id}", daemon=True).start()

    def take(self, index: int) -> Prepared:
        """Wait until this file is ready, showing its stage in the job. Raises Fault or Canceled."""
        self._due = index
        while True:
            self._job.enter_stage(self._stages[index])
            try:
                return self._found[index].result(LOOK_SECONDS)
            except NotYet:
                self._job.pause()

    def drop(self, index: int) -> None:
        """Release a file that the engine no longer needs."""
        for path in (self._media(index), self._samples(index)):
            path.unlink(missing_ok=True)
        self._count(index, 0)

    def close(self) -> None:
        """Stop preparing files. A hanging download ends later on its own."""
        self._is_closed = True
        for index in range(len(self._found)):
            self._count(index, 0)

    def _bring_all(self) -> None:
        for index in range(len(self._found)):
            if self._attempt(index, self._bring):
                self._brought.put(index)
        self._brought.put(None)

    def _decode_all(self) -> None:
        while (index := self._brought.get()) is not None:
            self._attempt(index, self._decode)

    def _attempt(self, index: int, step: Callable[[int], None]) -> bool:
        """Run one step for a file, and pass its failure to the waiting thread."""
        try:
            step(index)
            return True
        except (Fault, Canceled) as failure:
            self._found[index].set_exception(failure)
        except Exception as failure:  # the end of the thread: it must not go unheard
            if not self._is_closed:
                failed("file_error", **self._job.ids, file=index)
            self._found[index].set_exception(_fault(failure))
        finally:
            if self._is_closed:
                self._count(index, 0)
        return False

    def _decode(self, index: int) -> None:
        self._pause()
        self._stages[index] = "decoding"
        started = time.monotonic()
        samples = self._samples(index)
        count = audio.decode(self._media(index), samples, self._pause)
        self._count(index, self._job.request.inputs[index].size_bytes + count * BYTES_A_SAMPLE)
        seconds = time.monotonic() - started
        self._job.spent("decoding", seconds)
        audio_seconds = round(count / SAMPLE_RATE, 3)
        log("decode_done", **self._job.ids, seconds=round(seconds, 3), audioSeconds=audio_seconds)
        self._job.note(f"Decoded {count / SAMPLE_RATE:.1f} s of audio")
        self._found[index].set_result(Prepared(samples, count))

    def _bring(self, index: int) -> None:
        """Download and verify the file."""
        spec = self._job.request.inputs[index]
        self._budget.take(spec.size_bytes, lambda: self._due >= index, self._pause)
        self._taken[index] = spec.size_bytes
        self._pause()
        started = time.monotonic()
        size = self._await(index, spec) if self._job.request.is_push else self._pull(index, spec)
        seconds = time.monotonic() - started
        self._job.spent("downloading", seconds)
        log("download_done", **self._job.ids, bytes=size, seconds=round(seconds, 3))
        self._job.note(f"Downloaded {size / MEGABYTE:.1f} MB in {seconds:.1f} s")

    def _await(self, index: int, spec: InputSpec) -> int:
        push_upload = self._job.push_uploads[spec.input_id]

        def pause(seconds: float) -> None:
            self._arrived(index, push_upload.held)
            self._pause(seconds)

        return push_upload.wait(pause)

    def _pull(self, index: int, spec: InputSpec) -> int:
        target = self._media(index)
        if self._input_cache.take(spec, target, self._pause):
            log("input_reused", **self._job.ids, bytes=spec.size_bytes)
            return spec.size_bytes
        return self._fetch(index, spec, target)

    def _fetch(self, index: int, spec: InputSpec, target: Path) -> int:
        if not has_room(self._folder, spec.size_bytes):
            self._input_cache.clear()
        if not has_room(self._folder, spec.size_bytes):
            raise Fault("WORKER_DISK_FULL", "The worker does not have enough disk space for this file.")

        def report(got: int) -> None:
            log("download_progress", **self._job.ids, bytes=got, totalBytes=spec.size_bytes)
            self._arrived(index, got)

        return Fetch(spec, self._config.max_file_bytes, self._pause, report).to(target)

    def _arrived(self, index: int, got: int) -> None:
        """Report progress while the job waits for this file."""
        size = self._job.request.inputs[index].size_bytes
        if self._due == index and size:
            self._job.arrive(got / size)

    def _pause(self, seconds: float = 0.0) -> None:
        if self._is_closed:
            raise Canceled
        self._job.pause(seconds)

    def _count(self, index: int, size: int) -> None:
        with self._counting:
            self._budget.give(self._taken[index] - size)
            self._taken[index] = size

    def _media(self, index: int) -> Path:
        return media_path(self._folder, index, self._job.request.inputs[index])

    def _samples(self, index: int) -> Path:
        return self._folder / f"{index}.f32"


def _fault(failure: Exception) -> Fault:
    other = Fault("PROCESSING_ERROR", f"The worker failed ({type(failure).__name__}).")
    return disk_fault(failure) or other
