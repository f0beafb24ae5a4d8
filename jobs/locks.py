"""Locks between the processes of a host."""

from contextlib import AbstractContextManager
from pathlib import Path

from django.conf import settings

from gpu_worker.shared.file_lock import locked


def host_lock(name: str) -> AbstractContextManager[bool]:
    """Yield whether the lock with this name was acquired on this host. The lock of a killed process is released."""
    return locked(Path(settings.DATA_DIR) / f"{name}.lock")
