"""Push mode: receives one file in slices, verified by size and sha256."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpu_worker.directories import has_room
from gpu_worker.errors import Fault, disk_fault
from gpu_worker.shared.protocol import InputSpec
from gpu_worker.timeouts import SLICE_PATIENCE

LOOK_SECONDS = 0.2
TRIES = 2  # files that arrive damaged, until the job fails


@dataclass(frozen=True)
class Slice:
    """A part of a file: its first byte's place, its bytes, and the size of the whole."""

    first: int
    total: int
    content: bytes


class Misplaced(Exception):
    """The slice does not begin where the bytes held end."""


class WrongSize(Exception):
    """The file is announced with another size than the job named."""


class Damaged(Exception):
    """All bytes are there, but their sha256 is another one."""


class PushUpload:
    """Where one file comes in. All methods may be called from any thread."""

    def __init__(self, spec: InputSpec, path: Path) -> None:
        self._spec = spec
        self._path = path
        self._lock = threading.Lock()
        self._whole = threading.Event()
        self._fault: Fault | None = None
        self._held = 0
        self._sha = hashlib.sha256()
        self._tries_left = TRIES
        self._moved_at = time.monotonic()

    @property
    def held(self) -> int:
        """Bytes that are here."""
        return self._held

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self._spec.size_bytes

    @property
    def is_whole(self) -> bool:
        """Whether every byte is here, and checked."""
        return self._whole.is_set() and self._fault is None

    def take(self, part: Slice) -> None:
        """Append a slice. Raises Misplaced, WrongSize, Damaged (it starts over at 0), or Fault for good."""
        with self._lock:
            if part.total != self.size or part.first + len(part.content) > self.size:
                raise WrongSize
            if self._fault:
                raise self._fault
            if part.first != self._held or self._whole.is_set():
                raise Misplaced
            self._append(part.content)
            if self._held == self.size:
                self._verify()

    def adopt(self) -> None:
        """The file lies there already, whole and checked."""
        with self._lock:
            self._held = self.size
            self._whole.set()

    def wait(self, pause: Callable[[float], None]) -> int:
        """Return the size in bytes once the file is whole; raises Fault, and what `pause` raises."""
        self._moved_at = max(self._moved_at, time.monotonic())
        while not self._whole.is_set():
            pause(LOOK_SECONDS)
            if time.monotonic() - self._moved_at > SLICE_PATIENCE:
                minutes = f"{SLICE_PATIENCE / 60:.0f} minutes"
                self._give_up(Fault("DOWNLOAD_FAILED", f"The controller sent nothing for {minutes}."))
        if self._fault:
            raise self._fault
        return self._held

    def _append(self, content: bytes) -> None:
        missing = self.size - self._held
        if not has_room(self._path.parent, missing):
            raise self._give_up(
                Fault("WORKER_DISK_FULL", "The worker does not have enough disk space for this file.")
            )
        try:
            with self._path.open("r+b" if self._held else "wb") as out:
                out.seek(self._held)
                out.write(content)
        except OSError as failure:
            raise self._give_up(disk_fault(failure) or _unwritable(failure)) from failure
        self._sha.update(content)
        self._held += len(content)
        self._moved_at = time.monotonic()

    def _verify(self) -> None:
        if not self._spec.sha256 or self._sha.hexdigest() == self._spec.sha256:
            self._whole.set()
            return
        self._held, self._sha = 0, hashlib.sha256()
        self._tries_left -= 1
        if not self._tries_left:
            reason = "SHA-256 mismatch"
            raise self._give_up(Fault("CHECKSUM_MISMATCH", f"The file arrived damaged, twice: {reason}."))
        raise Damaged

    def _give_up(self, fault: Fault) -> Fault:
        self._fault = fault
        self._whole.set()
        return fault


def _unwritable(failure: OSError) -> Fault:
    return Fault("PROCESSING_ERROR", f"The worker failed ({type(failure).__name__}).")
