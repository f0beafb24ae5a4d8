"""State, progress, and cancellation of a job on the worker."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from gpu_worker.errors import Canceled
from gpu_worker.logs import log
from gpu_worker.server.receive_push import PushUpload
from gpu_worker.shared.protocol import (
    PREFETCH_STAGES,
    TERMINAL_STATUSES,
    ErrorMessage,
    InputSpec,
    JobRequest,
    JobStatus,
    JobStatusName,
    OutputRef,
    Progress,
)

LOG_LINES = 20
# The share of one file's percent at which each stage begins; a stage fills the room up to the next.
STAGE_BEGINS = {
    "queued": 0.0,
    "downloading": 0.0,
    "decoding": 0.04,
    "loading_model": 0.06,
    "diarizing": 0.08,
    "transcribing": 0.08,
    "uploading": 0.98,
    "complete": 1.0,
}
DIARIZING_SHARE = 0.4  # of the progress of a file with diarization; transcription follows
DEADLINE_GRACE = 300.0  # seconds: the clocks of two machines differ
PACE_SECONDS = 5.0  # of audio, before the speed says anything: words begin with the first window's start
LISTENING_SHARE = 0.04  # the voice gate hears the whole file before the first window is decoded


class Job:
    """State and progress of a job. Thread-safe."""

    def __init__(
        self,
        job_id: str,
        request: JobRequest,
        boot_id: str,
        spent: Callable[[str, float], None] = lambda _stage, _seconds: None,
    ) -> None:
        self.id = job_id
        self.request = request
        self.spent = spent  # called with a stage and the seconds that one file was in it
        self.push_uploads: Mapping[str, PushUpload] = {}  # by input id, in push mode
        self.is_forgotten = False  # deleted: no poll finds it any more
        self._expires_at = _expiry(request.deadline_at)
        self._boot_id = boot_id
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        diarizing = DIARIZING_SHARE if request.options.diarization_enabled else 0.0
        self._transcribing_begins = STAGE_BEGINS["transcribing"] + diarizing
        self._status: JobStatusName = "queued"
        self._stage = "queued"
        self._stage_at = datetime.now(UTC)
        self._stage_clock = time.monotonic()
        self._index = 0
        self._percent = 0.0
        self._audio_seconds = 0.0
        self._reached_clock = 0.0  # when it got there
        self._audio_duration: float | None = None
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._error: ErrorMessage | None = None
        self._outputs: list[OutputRef] = []

    @property
    def status(self) -> JobStatusName:
        """Return the status for polls."""
        return self._status

    @property
    def is_over(self) -> bool:
        """Return whether the status is final."""
        return self._status in TERMINAL_STATUSES

    @property
    def is_delivering(self) -> bool:
        """Return whether the job only waits for the controller and needs no slot."""
        return self._stage == "uploading"

    @property
    def ids(self) -> dict[str, object]:
        """Return the fields of all log lines about this job."""
        request = self.request
        return {
            "workerJobId": self.id,
            "controllerJobId": request.controller_job_id,
            "attempt": request.attempt,
        }

    def cancel(self) -> None:
        """Request cancellation; the job stops at its next pause."""
        self._cancel.set()

    def is_canceled(self) -> bool:
        """Return whether cancellation was requested."""
        return self._cancel.is_set() or self.is_expired()

    def is_expired(self) -> bool:
        """Return whether the deadline of the attempt has passed."""
        return time.monotonic() > self._expires_at

    def pause(self, seconds: float = 0.0) -> None:
        """Wait; raises Canceled as soon as the job is canceled."""
        if seconds:
            self._cancel.wait(seconds)
        if self.is_canceled():
            raise Canceled

    def enter_file(self, index: int) -> InputSpec:
        """Continue with the file of this number, from 0."""
        self.enter_stage("downloading")
        with self._lock:
            self._index = index
            self._audio_seconds = 0.0
            self._audio_duration = None
            self._raise_percent(0.0)
        return self.request.inputs[index]

    def enter_stage(self, stage: str) -> None:
        """Enter a stage and log the duration of the previous one."""
        with self._lock:
            if self._status == "queued" and stage != "queued":
                self._status = "running"
            if stage == self._stage or self.is_over:
                return
            self._leave_stage()
            self._stage, self._stage_at, self._stage_clock = stage, datetime.now(UTC), time.monotonic()
            begins = self._transcribing_begins if stage == "transcribing" else STAGE_BEGINS[stage]
            self._raise_percent(begins)

    def set_duration(self, seconds: float) -> None:
        """Set the audio duration of the current file."""
        with self._lock:
            self._audio_duration = round(seconds, 3)

    def arrive(self, share: float) -> None:
        """Report the downloaded share of the current file, 0-1."""
        with self._lock:
            self._raise_percent(STAGE_BEGINS["decoding"] * min(1.0, share))

    def listen(self, seconds: float) -> None:
        """Report the position of voice detection in the current file."""
        with self._lock:
            self._raise_percent(self._transcribing_begins + LISTENING_SHARE * self._share(seconds))

    def diarize(self, share: float) -> None:
        """Report the diarization progress of the current file, 0-1."""
        with self._lock:
            self._raise_percent(STAGE_BEGINS["diarizing"] + DIARIZING_SHARE * share)

    def reach(self, seconds: float) -> None:
        """Report the transcription position in the current file."""
        with self._lock:
            if seconds > self._audio_seconds:
                self._audio_seconds, self._reached_clock = seconds, time.monotonic()
            begins = self._transcribing_begins + LISTENING_SHARE
            rest = STAGE_BEGINS["uploading"] - begins
            self._raise_percent(begins + rest * self._share(self._audio_seconds))

    def _share(self, seconds: float) -> float:
        return min(1.0, seconds / self._audio_duration) if self._audio_duration else 0.0

    def note(self, line: str) -> None:
        """Add a line to the `logs` of polls, without file names and addresses."""
        with self._lock:
            self._lines.append(f"{datetime.now(UTC):%H:%M:%S} {line}")

    def add_output(self, output: OutputRef) -> None:
        """Record that the controller has this document."""
        with self._lock:
            self._outputs.append(output)

    def end(self, status: JobStatusName, error: ErrorMessage | None = None) -> None:
        """Set the final status; only the first one counts."""
        with self._lock:
            if self.is_over:
                return
            self._leave_stage()
            self._status, self._error = status, error
            self._stage_at = datetime.now(UTC)
            if status == "complete":
                self._stage, self._percent = "complete", 100.0
        log(f"job_{status}", **self.ids, code=error["code"] if error else None)

    def snapshot(self, gpu: bool) -> JobStatus:
        """Return the response to a poll."""
        with self._lock:
            return JobStatus(
                workerJobId=self.id,
                controllerJobId=self.request.controller_job_id,
                status=self._status,
                stage=self._stage,
                stageStartedAt=self._stage_at.isoformat(),
                progress=self._progress(),
                logs=list(self._lines),
                error=self._error,
                gpu=gpu,
                attempt=self.request.attempt,
                bootId=self._boot_id,
                outputs=list(self._outputs),
            )

    def _progress(self) -> Progress:
        speed, eta = self._pace()
        return Progress(
            percent=round(self._percent, 1),
            currentFileIndex=self._index,
            totalFiles=len(self.request.inputs),
            currentFile=self.request.inputs[self._index].filename,
            audioSeconds=round(self._audio_seconds, 3),
            audioDuration=self._audio_duration,
            speed=speed,
            etaSeconds=eta,
        )

    def _pace(self) -> tuple[float | None, float | None]:
        """Return audio seconds per second and the remaining seconds of this file during transcription."""
        took, duration = self._reached_clock - self._stage_clock, self._audio_duration or 0.0
        enough = min(PACE_SECONDS, duration / 4)
        if self._stage != "transcribing" or not duration or self._audio_seconds < enough or took <= 0:
            return None, None
        speed = self._audio_seconds / took
        left = (duration - self._audio_seconds) / speed - (time.monotonic() - self._reached_clock)
        return round(speed, 2), round(max(0.0, left), 1)

    def _leave_stage(self) -> None:
        seconds = round(time.monotonic() - self._stage_clock, 3)
        duration = self._audio_duration
        log("stage_done", **self.ids, stage=self._stage, seconds=seconds, audioSeconds=duration)
        if self._stage not in PREFETCH_STAGES:  # what those took is told by who fetches and decodes
            self.spent(self._stage, seconds)

    def _raise_percent(self, share: float) -> None:
        percent = 100.0 * (self._index + share) / len(self.request.inputs)
        self._percent = max(self._percent, min(99.0, percent))


def _expiry(deadline: str) -> float:
    """Return the time.monotonic() of the deadline; infinity if there is none or it had passed at the start,
    since then one of the clocks is wrong."""
    try:
        left = datetime.fromisoformat(deadline).timestamp() - time.time()
    except ValueError:
        return float("inf")
    return time.monotonic() + left + DEADLINE_GRACE if left > 0 else float("inf")
