"""`manage.py audit_storage`: compare files on disk with rows in the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bulktranscribe.integrity import storage_audit


class Command(BaseCommand):
    help = "List orphaned, missing, and damaged files. Exit with 1 if there are any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--verify", action="store_true", help="read every file and verify its SHA-256 checksum"
        )
        parser.add_argument(
            "--remove-orphans", action="store_true", help="delete orphaned files, except recent ones"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove_orphans"]:
            self.stdout.write(f"Removed: {storage_audit.sweep()}")
        findings = storage_audit.look(verify=options["verify"])
        for title, paths in (
            ("orphaned", findings.orphans),
            ("missing", findings.missing),
            ("damaged", findings.damaged),
        ):
            for path in paths:
                self.stdout.write(f"{title}: {path}")
        if not findings.is_clean:
            raise CommandError("Storage check failed. Recent files may belong to uploads in progress.")
        self.stdout.write("Storage check passed.")
