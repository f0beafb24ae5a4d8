"""manage.py draw_errors: generate the tables of failure codes in docs/ from the protocol; --check only compares."""

import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bulktranscribe.environment import BASE_DIR
from gpu_worker.shared.protocol import ERRORS

PLACE = re.compile(r"(?<=<!-- drawn by manage.py draw_errors -->\n).*?(?=<!-- end -->)", re.DOTALL)


class Command(BaseCommand):
    help = "Generate the tables of error codes in docs/protocol.md and docs/operations.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if a page is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        for name, table in (("protocol.md", codes()), ("operations.md", remedies())):
            path = BASE_DIR / "docs" / name
            page = path.read_text()
            drawn = with_table(page, table)
            if not options["check"]:
                path.write_text(drawn)
            elif page != drawn:
                raise CommandError(f"docs/{name} is out of date. Run `manage.py draw_errors`.")


def with_table(page: str, table: str) -> str:
    """Return the page with the table between its markers. Raises CommandError if there are none."""
    drawn, count = PLACE.subn(lambda _: table, page)
    if count != 1:
        raise CommandError(f"Expected one placeholder for the table of error codes, found {count}.")
    return drawn


def codes() -> str:
    """Return the table for developers of workers and controllers."""
    rows = [f"| `{code}` | {text.sentence} |" for code, text in ERRORS.items()]
    return "\n".join(["| Code | Meaning |", "| --- | --- |", *rows]) + "\n"


def remedies() -> str:
    """Return the table for administrators."""
    rows = [f"| `{code}` | {text.sentence} | {text.hint} |" for code, text in ERRORS.items()]
    return "\n".join(["| Code | Meaning | What to do |", "| --- | --- | --- |", *rows]) + "\n"
