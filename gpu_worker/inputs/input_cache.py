"""Caches files of jobs lost in a restart, so that they need not be downloaded again."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gpu_worker.shared.protocol import InputSpec
from gpu_worker.shared.units import MEBIBYTE

KEEP_SECONDS = 6 * 3600.0  # a person who presses Retry does it today; other people's recordings do not stay
KEEP_BYTES = 8192 * MEBIBYTE
CHUNK = MEBIBYTE
NAMED = re.compile(r"\d+-([0-9a-f]{64})\.media")


def media_path(folder: Path, index: int, spec: InputSpec) -> Path:
    """Return the path of a file while it is processed: named by its digest, never by its name."""
    named = folder / f"{index}-{spec.sha256}.media"
    return named if NAMED.fullmatch(named.name) else folder / f"{index}.media"


class InputCache:
    """A folder of files by sha256. Files are removed when used. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def rescue(self, scratch: Path) -> None:
        """At startup, adopt files that killed jobs left in `scratch`, and delete old and excess ones."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for media in scratch.glob("*/*.media"):
            named = NAMED.fullmatch(media.name)
            if named and media.is_file() and not media.is_symlink():
                media.replace(self._folder / named[1])
        self._forget()
        timer = threading.Timer(KEEP_SECONDS, self.clear)
        timer.daemon = True
        timer.start()

    def take(self, spec: InputSpec, target: Path, look: Callable[[float], None]) -> bool:
        """Move the file of `spec` to `target` if it is complete; `look(0)` may raise meanwhile."""
        if not NAMED.fullmatch(f"0-{spec.sha256}.media"):
            return False
        try:
            (self._folder / spec.sha256).replace(target)
        except OSError:
            return False
        if target.stat().st_size == spec.size_bytes and _digest(target, look) == spec.sha256:
            return True
        target.unlink()  # it was killed before all of it had arrived
        return False

    def clear(self) -> None:
        """Delete all files."""
        for file in self._folder.iterdir():
            file.unlink(missing_ok=True)

    def _forget(self) -> None:
        oldest = time.time() - KEEP_SECONDS
        room = KEEP_BYTES
        for file in sorted(self._folder.iterdir(), key=lambda file: -file.stat().st_mtime):
            room -= file.stat().st_size
            if room < 0 or file.stat().st_mtime < oldest:
                file.unlink()


def _digest(path: Path, look: Callable[[float], None]) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            sha.update(chunk)
            look(0.0)
    return sha.hexdigest()
