"""Locks on files, between the processes of one host. A killed process lets go by itself."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


def try_lock(file: int | IO[Any]) -> bool:
    """Lock an open file until it is closed; False where another holder has it. Raises OSError."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of this file, made where it is missing; yields False where another holder has it.

    `wait`: until that one lets go, so that it always yields True.
    """
    with path.open("a") as file:
        if wait:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield wait or try_lock(file)
