"""Which files of this machine are meant, and what each is called."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from bulktranscribe.cli.client import BLOCK, Changed, Source

# What is taken out of a folder; a file that somebody names is taken whatever it is called.
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
    """What was named is not there; the message says what."""


@dataclass(frozen=True)
class Found:
    """A file that is meant, and its path as others shall see it, with / between folders."""

    path: Path
    relative: str


def named(paths: Iterable[Path]) -> list[Found]:
    """Return the files that are meant by files and folders, each once. A folder's own name is kept, as pages do.

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
    """Yield the recordings in a folder and those below it, in order of name; half-written and hidden ones left out.

    What cannot be listed is left out; links to folders are not followed.
    """
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith(HIDDEN))
        for name in sorted(filter(is_recording, names)):
            path = Path(folder, name)
            yield Found(path, path.relative_to(top).as_posix())


def is_recording(name: str) -> bool:
    """Whether a file of this name is taken out of a folder."""
    is_whole = not name.startswith(HIDDEN) and not name.lower().endswith(HALF_WRITTEN)
    return is_whole and PurePath(name).suffix.lower() in MEDIA


def look(found: Found) -> Source:
    """Read a file once and take its digest. Raises OSError; Changed where it is being written."""
    with found.path.open("rb") as file:
        before = os.fstat(file.fileno())
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Changed
    return Source(found.path, found.relative, after.st_size, digest.hexdigest())
