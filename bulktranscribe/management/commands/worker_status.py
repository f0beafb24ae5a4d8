"""`manage.py worker_status`: every worker, how it is, what it has, how fast it is."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from remoteworker import fleet
from remoteworker.models import Worker

COLUMNS = ("name", "kind", "state", "active", "slots", "speed", "lastContact", "trouble")


class Command(BaseCommand):
    help = "Show the workers from the database; asks none of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        active = {worker.pk: worker.active for worker in fleet.enabled_workers()}  # type: ignore[attr-defined]
        rows = [_row(worker, active.get(worker.pk, 0)) for worker in Worker.objects.all()]
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        lines = [COLUMNS, *([str(row[name]) for name in COLUMNS] for row in rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _row(worker: Worker, active: int) -> dict[str, Any]:
    return {
        "name": worker.name,
        "kind": worker.kind,
        "state": fleet.state(worker),
        "active": active,
        "slots": worker.slots,
        "speed": ", ".join(f"{model} {speed:g}×" for model, speed in worker.speeds.items()),
        "lastContact": worker.last_ping_at.isoformat(timespec="seconds") if worker.last_ping_at else "never",
        "trouble": str((worker.last_error or {}).get("message", "")),
    }
