"""File storage: files become visible under their name only when completely written and flushed."""

import os
import shutil
import uuid
from pathlib import Path


def keep(source: Path, target: Path) -> None:
    """Durably store a finished temporary file as `target`; an existing file is kept.

    The temporary file is left to its owner, who deletes it. Raises OSError, of which ENOSPC is a full disk.
    """
    with source.open("rb+") as file:
        os.fsync(file.fileno())
    share(source, target)


def share(source: Path, target: Path) -> None:
    """Make the durable file `source` available as `target` too, stored once if the file system supports it.

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
