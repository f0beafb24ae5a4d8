"""`manage.py audit_storage`: do the files on the disk and the rows in the database belong together?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bulktranscribe.integrity import storage_audit


class Command(BaseCommand):
    help = (
        "List files without a row, rows without a file, and damaged files; exit with 1 where there are any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--verify", action="store_true", help="read every file and compare its sha256")
        parser.add_argument("--remove-orphans", action="store_true", help="delete old files without a row")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove_orphans"]:
            self.stdout.write(f"Removed: {storage_audit.sweep()}")
        findings = storage_audit.look(verify=options["verify"])
        for title, paths in (
            ("no row knows it", findings.orphans),
            ("gone from the disk", findings.missing),
            ("not what its row says", findings.damaged),
        ):
            for path in paths:
                self.stdout.write(f"{title}: {path}")
        if not findings.is_clean:
            raise CommandError("The storage is not in order. Young files may still be on their way.")
        self.stdout.write("The storage is in order.")
