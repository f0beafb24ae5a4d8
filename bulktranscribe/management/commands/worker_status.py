"""`manage.py worker_status`: print status, files, and speed of all workers."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from remoteworker.workers import dashboard

COLUMNS = ("name", "kind", "state", "active", "slots", "speed", "lastContact", "trouble")


class Command(BaseCommand):
    help = "Show the workers as recorded in the database, without contacting them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        workers = dashboard.workers()
        if options["json"]:
            self.stdout.write(json.dumps(workers, indent=2, cls=DjangoJSONEncoder))
            return
        lines = [COLUMNS, *(_line(row) for row in workers)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    speed = ", ".join(f"{known['model']} {known['speed']:g}×" for known in row["speeds"])
    contact = row["lastContact"].isoformat(timespec="seconds") if row["lastContact"] else "never"
    shown = {**row, "speed": speed, "lastContact": contact}
    return tuple(str(shown[name]) for name in COLUMNS)
