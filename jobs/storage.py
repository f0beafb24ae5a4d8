"""Bytes on the disk: written whole, flushed, and visible under their name only then."""

import os
import shutil
import uuid
from pathlib import Path


def keep(source: Path, target: Path) -> None:
    """Put the bytes of a finished temporary file at `target`, on the disk for good; what is there stays.

    The temporary file is left to its owner, who deletes it. Raises OSError, of which ENOSPC is a full disk.
    """
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    share(source, target)


def share(source: Path, target: Path) -> None:
    """Make the bytes at `source`, which are on the disk for good, seen at `target` too; stored once where disks can.

    Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.link(source, target)
        os.utime(target)  # wanted now: the sweep of what belongs to nobody goes by age
    except FileExistsError:
        os.utime(target)
    except OSError:  # a file system without hard links
        draft = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        try:
            shutil.copyfile(source, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
