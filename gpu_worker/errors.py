"""Why one file of a job failed."""

from __future__ import annotations

from gpu_worker.shared.disk import is_disk_full


class Canceled(Exception):
    """The job is not wanted any more; raised at the next look at its flag."""


class Fault(Exception):
    """A failure with a code of the protocol's closed list and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def disk_fault(failure: BaseException) -> Fault | None:
    """A full disk as a fault; None where the error is another one."""
    if is_disk_full(failure):
        return Fault("WORKER_DISK_FULL", "The worker's disk is full. Free up space in WORKER_TMP_DIR.")
    return None
