"""What one process of this host does at a time."""

from contextlib import AbstractContextManager
from pathlib import Path

from django.conf import settings

from gpu_worker.shared.file_lock import locked


def alone(name: str) -> AbstractContextManager[bool]:
    """Whether nobody else on this host does what has this name now. A killed process lets go by itself."""
    return locked(Path(settings.DATA_DIR) / f"{name}.lock")
