"""Transcripts written into folders: under safe names, whole or not at all, over nothing that is there."""

import os
import re
import unicodedata
from itertools import count
from pathlib import Path, PurePosixPath

UNSAFE = re.compile(r'[<>:"|?*\\/]')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MOST_BYTES = 200  # of a name: file systems take 255, and a number and an ending follow


def target(out: Path, relative: str, format: str) -> Path:
    """Return where the transcript of this recording belongs: below `out`, in the folders that the recording has."""
    parts = [safe(part) for part in PurePosixPath(relative).parts if part not in ("/", ".", "..")]
    name = safe(PurePosixPath(relative).stem)
    return Path(out, *parts[:-1], f"{name}.{format}")


def safe(name: str) -> str:
    """Return a name that every file system takes, as near to this one as that goes."""
    shown = "".join("_" if unicodedata.category(c) in ("Cc", "Cs") else c for c in UNSAFE.sub("_", name))
    cut = shown.encode()[:MOST_BYTES].decode(errors="ignore").strip().rstrip(".")
    return f"_{cut}" if not cut or RESERVED.fullmatch(cut) else cut


def write(path: Path, content: bytes, *, overwrite: bool = False) -> Path:
    """Write a file and return where it is: beside one of that name with other content, as `name (2).srt`.

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
    """Take the first name that is free, or has this very content already."""
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
    """What a folder has been given already: a transcript that somebody moved or corrected is not written again."""

    NAME = ".bulktranscribe"

    def __init__(self, out: Path) -> None:
        self.path = out / self.NAME
        self._done = set(self.path.read_text().split()) if self.path.exists() else set()

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def note(self, key: str) -> None:
        """Remember it, also for the next start. Raises OSError."""
        self._done.add(key)
        with self.path.open("a") as file:
            file.write(f"{key}\n")
