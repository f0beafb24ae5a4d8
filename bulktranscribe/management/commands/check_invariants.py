"""`manage.py check_invariants`: check the invariants."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bulktranscribe.integrity import invariants


class Command(BaseCommand):
    help = "Check the invariants of jobs, attempts, results, and files. Exit with 1 if any is violated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-files", action="store_true", help="do not check the files on disk")

    def handle(self, *args: Any, **options: Any) -> None:
        found = invariants.check(files=not options["no_files"])
        for broken in found:
            self.stdout.write(str(broken))
        if found:
            raise CommandError(f"{len(found)} violations; docs/operations.md explains the numbers.")
        self.stdout.write("All invariants hold.")
