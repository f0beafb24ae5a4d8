"""manage.py draw_statuses: generate docs/job-states.md from the status table; --check only compares."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bulktranscribe.environment import BASE_DIR
from jobs.statuses import MOVES

PATH = BASE_DIR / "docs" / "job-states.md"
HEAD = """# The states of a file in a job

Generated from `jobs/statuses.py` by `manage.py draw_statuses`; `make check` verifies it. The status of a job is derived
from its files.

"""


class Command(BaseCommand):
    help = "Generate docs/job-states.md from the status table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the page is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            PATH.write_text(drawing())
        elif not PATH.exists() or PATH.read_text() != drawing():
            raise CommandError("docs/job-states.md is out of date. Run `manage.py draw_statuses`.")


def drawing() -> str:
    """Return the page: a diagram and a table."""
    arrows, rows = ["    [*] --> queued"], []
    for event, move in MOVES.items():
        arrows += [f"    {source} --> {move.target}: {event}" for source in move.sources]
        codes = ", ".join(f"`{code}`" for code in move.codes) or "–"
        rows.append(f"| {', '.join(move.sources)} | `{event}`: {event.label} | {move.target} | {codes} |")
    table = ["| From | Event | To | Only with codes |", "| --- | --- | --- | --- |", *rows]
    return HEAD + "```mermaid\nstateDiagram-v2\n" + "\n".join(arrows) + "\n```\n\n" + "\n".join(table) + "\n"
