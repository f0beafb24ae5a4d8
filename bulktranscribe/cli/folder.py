"""Selects local files and determines their display paths."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from bulktranscribe.cli.client import BLOCK, Changed, Source

# What is selected from a folder; files that are named individually are always accepted.
MEDIA = {
    *(
        ".aac",
        ".ac3",
        ".aif",
        ".aiff",
        ".amr",
        ".caf",
        ".dss",
        ".flac",
        ".m4a",
        ".m4b",
        ".mka",
        ".mp2",
        ".mp3",
    ),
    *(".oga", ".ogg", ".opus", ".ra", ".wav", ".wave", ".weba", ".wma"),
    *(
        ".3gp",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
    ),
    *(".rm", ".ts", ".vob", ".webm", ".wmv"),
}
HALF_WRITTEN = (
    ".part",
    ".crdownload",
    ".download",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".!ut",
    ".opdownload",
)
HIDDEN = (".", "~$", "~")


class NoSuchFile(Exception):
    """A given path does not exist; the message names it."""


@dataclass(frozen=True)
class Found:
    """A selected file and its display path, with / between folders."""

    path: Path
    relative: str


def named(paths: Iterable[Path]) -> list[Found]:
    """Return the files for the given files and folders, without duplicates. Folder names are kept, as on the pages.

    Raises NoSuchFile.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        if path.is_dir():
            top = path.resolve()
            for each in inside(top):
                found.setdefault(
                    each.path, Found(each.path, str(PurePath(top.name, each.relative).as_posix()))
                )
        elif path.exists():
            found.setdefault(path.resolve(), Found(path, path.name))
        else:
            raise NoSuchFile(f"{path} does not exist.")
    return list(found.values())


def inside(top: Path) -> Iterator[Found]:
    """Yield the recordings in a folder and its subfolders by name, skipping partially written and hidden files.

    Unreadable folders are skipped; symbolic links to folders are not followed.
    """
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith(HIDDEN))
        for name in sorted(filter(is_recording, names)):
            path = Path(folder, name)
            yield Found(path, path.relative_to(top).as_posix())


def is_recording(name: str) -> bool:
    """Return whether a file with this name is a recording."""
    is_whole = not name.startswith(HIDDEN) and not name.lower().endswith(HALF_WRITTEN)
    return is_whole and PurePath(name).suffix.lower() in MEDIA


def look(found: Found) -> Source:
    """Read and hash a file. Raises OSError, and Changed while it is being written."""
    with found.path.open("rb") as file:
        before = os.fstat(file.fileno())
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Changed
    return Source(found.path, found.relative, after.st_size, digest.hexdigest())
