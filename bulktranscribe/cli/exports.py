"""Writes transcripts to folders: safe names, atomically, without overwriting."""

import os
import re
import unicodedata
from itertools import count
from pathlib import Path, PurePosixPath

UNSAFE = re.compile(r'[<>:"|?*\\/]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MOST_BYTES = 200  # of a name: file systems take 255, and a number and an ending follow


def target(out: Path, relative: str, format: str) -> Path:
    """Return the target path of a transcript: below `out`, in the folders of the recording."""
    parts = [safe(part) for part in PurePosixPath(relative).parts if part not in ("/", ".", "..")]
    name = safe(PurePosixPath(relative).stem)
    return Path(out, *parts[:-1], f"{name}.{format}")


def safe(name: str) -> str:
    """Return a similar name that is valid on all file systems."""
    shown = "".join("_" if unicodedata.category(c) in ("Cc", "Cs") else c for c in UNSAFE.sub("_", name))
    cut = shown.encode()[:MOST_BYTES].decode(errors="ignore").strip().rstrip(".")
    return f"_{cut}" if not cut or RESERVED.fullmatch(cut) else cut


def write(path: Path, content: bytes, *, overwrite: bool = False) -> Path:
    """Write a file and return its path; if a different file has that name, use `name (2).srt`.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    place = path if overwrite else _free(path, content)
    draft = place.with_name(f".{place.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return place


def _free(path: Path, content: bytes) -> Path:
    """Return the first path that is free or already has this content."""
    for number in count(1):
        place = path if number == 1 else path.with_name(f"{path.stem} ({number}){path.suffix}")
        try:
            os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            if not place.is_file() or place.read_bytes() != content:
                continue
        return place
    raise AssertionError("numbers end nowhere")


class Ledger:
    """Remembers which transcripts were written, so that moved or corrected ones are not written again."""

    NAME = ".bulktranscribe"

    def __init__(self, out: Path) -> None:
        self.path = out / self.NAME
        self._done = set(self.path.read_text().split()) if self.path.exists() else set()

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def note(self, key: str) -> None:
        """Remember it persistently. Raises OSError."""
        self._done.add(key)
        with self.path.open("a") as file:
            file.write(f"{key}\n")
