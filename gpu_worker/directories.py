"""The worker's folders: scratch space, emptied at each start, the input cache, and state."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TextIO

from gpu_worker.config import BadConfig
from gpu_worker.inputs.input_cache import InputCache
from gpu_worker.shared.file_lock import try_lock
from gpu_worker.shared.units import MEBIBYTE

SCRATCH_NAME = "bulk-transcribe-work"  # only this folder below WORKER_TMP_DIR is ever emptied
KEPT_NAME = "bulk-transcribe-kept"
SPARE_DISK = 64 * MEBIBYTE


def has_room(folder: Path, size: int) -> bool:
    """Return whether a file of this size leaves enough disk space for the journal and the results."""
    return shutil.disk_usage(folder).free >= size + SPARE_DISK


class Directories:
    """All folders, locked by this process. Raises BadConfig."""

    def __init__(self, tmp_dir: Path, state_dir: Path) -> None:
        self._held: list[TextIO] = []
        self._prepare("WORKER_TMP_DIR", tmp_dir)
        self._prepare("WORKER_STATE_DIR", state_dir)
        self.scratch = tmp_dir / SCRATCH_NAME
        if self.scratch.is_symlink():
            raise BadConfig(f"{self.scratch} is a symbolic link; remove it.")
        self.input_cache = InputCache(tmp_dir / KEPT_NAME)
        self.input_cache.rescue(self.scratch)
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(mode=0o700, exist_ok=True)

    def _prepare(self, setting: str, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (folder / "worker.lock").open("w")
        except OSError as failure:
            raise BadConfig(f"{setting} {folder} cannot be used: {failure.strerror}.") from failure
        if folder.stat().st_uid != os.geteuid():
            raise BadConfig(f"{setting} {folder} belongs to another user.")
        if not try_lock(lock):
            raise BadConfig(f"{setting} {folder} is used by another running worker.")
        self._held.append(lock)
