"""Progress output: bars on a terminal, plain lines otherwise."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from bulktranscribe.cli.client import FileState

MOST_ROWS = 8  # files under way that have a bar of their own
SUMMARY_SECONDS = 30.0


class Reporter(Protocol):
    """Reports progress."""

    def say(self, text: str) -> None:
        """Print a message on a line of its own."""

    def sending(self, name: str, done: int, size: int, number: int, count: int) -> None:
        """Report the upload progress of a file."""

    def files(self, files: Sequence[FileState]) -> None:
        """Report the status of all files."""

    def close(self) -> None:
        """Remove the progress bars."""


def reporter_for(console: Console) -> Reporter:
    """Return the reporter for this console."""
    return Bars(console) if console.is_terminal else Lines(lambda text: plain(console, text))


def plain(console: Console, text: str) -> None:
    """Print text without markup and without terminal control characters."""
    shown = printable(text)
    if console.is_terminal:
        console.print(Text(shown), soft_wrap=True)
    else:  # rich makes spaces of tabs
        console.file.write(f"{shown}\n")
        console.file.flush()


def printable(text: str) -> str:
    """Return text without control characters except tabs, with "?" for undecodable bytes."""
    return "".join(c if c.isprintable() or c in "\t\n" else "?" for c in text)


def summary(files: Sequence[FileState]) -> str:
    """Return a summary of the progress of files."""
    ended = sum(file.has_ended for file in files)
    failed = sum(file.status == "failed" for file in files)
    words = [f"{ended} of {len(files)} done"]
    if failed:
        words.append(f"{failed} failed")
    if left := left_of(files):
        words.append(f"about {left} left")
    return ", ".join(words)


def left_of(files: Sequence[FileState]) -> str:
    """Return the remaining time of the last of these files, empty if unknown."""
    known = [file.eta_seconds for file in files if not file.has_ended]
    if not known or None in known:
        return ""
    seconds = max(each for each in known if each is not None)
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size_of(size: int) -> str:
    """Format a size."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


class Lines:
    """Prints a line for each change."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._seen: dict[str, str] = {}
        self._summed_at = time.monotonic()

    def say(self, text: str) -> None:
        self._write(text)

    def sending(self, name: str, done: int, size: int, number: int, count: int) -> None:
        if done >= size:
            self._write(f"Uploaded {number} of {count}: {name} ({size_of(size)})")

    def files(self, files: Sequence[FileState]) -> None:
        for file in files:
            if self._seen.get(file.id) != file.words:
                self._seen[file.id] = file.words
                self._write(f"{file.name}: {file.words}{f'. {file.error}' if file.error else ''}")
        if time.monotonic() - self._summed_at >= SUMMARY_SECONDS:
            self._summed_at = time.monotonic()
            self._write(summary(files))

    def close(self) -> None:
        pass


class Bars:
    """Shows an overall bar, and one for each file in progress."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f}%"),
            TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._rows: dict[str, TaskID] = {}

    def say(self, text: str) -> None:
        plain(self._progress.console, text)

    def sending(self, name: str, done: int, size: int, number: int, count: int) -> None:
        self._show(
            "sending", f"Uploading {number} of {count}", 100 * done / max(1, size), f"{name}, {size_of(size)}"
        )
        if number == count and done >= size:
            self._drop("sending")

    def files(self, files: Sequence[FileState]) -> None:
        done = sum(100.0 if file.has_ended else file.percent for file in files) / max(1, len(files))
        self._show("all", "All files", done, summary(files))
        active = [file for file in files if not file.has_ended and file.status != "queued"][:MOST_ROWS]
        for gone in set(self._rows) - {"all"} - {file.id for file in active}:
            self._drop(gone)
        for file in active:
            self._show(file.id, _shortened(file.name), file.percent, file.words)
        self._progress.refresh()

    def close(self) -> None:
        for row in list(self._rows):
            self._drop(row)
        self._progress.stop()

    def _show(self, key: str, text: str, percent: float, note: str) -> None:
        shown = {"description": printable(text), "completed": percent, "note": printable(note)}
        if key in self._rows:
            self._progress.update(self._rows[key], **shown)  # type: ignore[arg-type]
        else:
            self._rows[key] = self._progress.add_task(total=100.0, **shown)  # type: ignore[arg-type]
        self._progress.start()

    def _drop(self, key: str) -> None:
        if (row := self._rows.pop(key, None)) is not None:
            self._progress.remove_task(row)


def _shortened(name: str, most: int = 40) -> str:
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"
