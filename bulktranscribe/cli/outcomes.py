"""Outcomes of files: the final report and the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bulktranscribe.cli import exports, uploading
from bulktranscribe.cli.client import Client, FileState, Refused, Say, Unreachable, unsaid
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.progress import plain, printable

COMPLETE, SOME_FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
STYLES = {
    "complete": "green",
    "failed": "red",
    "canceled": "yellow",
    "not uploaded": "red",
    "not written": "red",
    "not complete": "red",
}


@dataclass
class Item:
    """A file, its upload, and its outcome."""

    found: Found
    upload: str = ""
    state: FileState | None = None
    problem: str = ""  # why it was not sent, started or followed to its end, or its transcript not written
    written: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        if self.state is None:
            return "not uploaded" if self.problem and not self.upload else "not started"
        if self.problem:
            return "not written" if self.state.status == "complete" else "not complete"
        return self.state.status

    @property
    def detail(self) -> str:
        return self.problem or (self.state.error if self.state else "") or ", ".join(self.written)


def write(client: Client, item: Item, cli_options: CliOptions, say: Say = unsaid) -> None:
    """Write the transcript of a complete file if requested, and record the outcome in the item."""
    if cli_options.out is None or item.state is None or item.state.status != "complete":
        return
    for format in cli_options.formats:
        try:
            content = uploading.patiently(partial(client.export, item.state.id, format), say)
            place = exports.target(cli_options.out, item.found.relative, format)
            item.written.append(str(exports.write(place, content, overwrite=cli_options.overwrite)))
        except (Refused, Unreachable) as problem:
            item.problem = str(problem)
        except OSError as failure:
            item.problem = f"{failure.filename or cli_options.out} cannot be written: {failure.strerror}."


def exit_code(items: Sequence[Item]) -> int:
    """Return 0 only if every file is complete and all requested transcripts are written."""
    return COMPLETE if all(item.outcome == "complete" for item in items) else SOME_FAILED


def tell(console: Console, items: Sequence[Item]) -> None:
    """Print the outcome of each file: as a table on a terminal, otherwise tab-separated."""
    if not console.is_terminal:
        for item in items:
            plain(console, "\t".join((item.outcome, item.found.relative, item.detail)).rstrip())
        return
    table = Table("File", "Outcome", "", box=None, padding=(0, 2, 0, 0))
    for item in items:
        style = STYLES.get(item.outcome, "")
        name, detail = printable(item.found.relative), printable(item.detail)
        table.add_row(Text(name, overflow="fold"), Text(item.outcome, style), Text(detail))
    console.print(table)
