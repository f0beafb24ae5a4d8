"""`manage.py check_invariants`: is everything as it must always be?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bulktranscribe.integrity import invariants


class Command(BaseCommand):
    help = "Check what must always be true of jobs, attempts, results and files; exit with 1 where it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-files", action="store_true", help="do not read the files on the disk")

    def handle(self, *args: Any, **options: Any) -> None:
        found = invariants.check(files=not options["no_files"])
        for broken in found:
            self.stdout.write(str(broken))
        if found:
            raise CommandError(f"{len(found)} broken; docs/operations.md says what the numbers mean.")
        self.stdout.write("All invariants hold.")
