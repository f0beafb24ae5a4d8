"""Failures of files."""

from __future__ import annotations

from gpu_worker.shared.disk import is_disk_full


class Canceled(Exception):
    """The job was canceled; raised at the next check."""


class Fault(Exception):
    """A failure with a code of the protocol and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def disk_fault(failure: BaseException) -> Fault | None:
    """Return a fault for a full disk; None for other errors."""
    if is_disk_full(failure):
        return Fault("WORKER_DISK_FULL", "The worker's disk is full. Free up space in WORKER_TMP_DIR.")
    return None
