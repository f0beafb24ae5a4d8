"""`manage.py requeue`: requeue files by id, or all that failed with a code."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q, QuerySet

from jobs import batches
from jobs.models import JobInput
from jobs.statuses import InputStatus
from remoteworker.attempts import dispatch
from remoteworker.models import Attempt

ACTOR = "manage.py requeue"


class Command(BaseCommand):
    help = "Requeue failed and canceled files, like Retry. With --running, also withdraw files from their worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=_uuid, help="ids of files, jobs, or sessions")
        parser.add_argument("--failed", action="store_true", help="all failed files")
        parser.add_argument("--code", help="only files that failed with this error code")
        parser.add_argument("--running", action="store_true", help="also files that a worker is processing")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options["ids"], options["failed"], options["code"])
        count = sum(batches.retry_input(entry, ACTOR) for entry in chosen)
        if options["running"]:
            held = Attempt.objects.filter(ended_at=None, job_input__in=chosen)
            for attempt in held.select_related("job_input__job", "worker"):
                count += dispatch.move_away(attempt, ACTOR, "Withdrawn from its worker by manage.py requeue.")
        self.stdout.write(f"Requeued: {count}")


def _chosen(ids: list[UUID], failed: bool, code: str | None) -> QuerySet[JobInput]:
    if not ids and not failed:
        raise CommandError("Give the ids of files, jobs, or sessions, or pass --failed.")
    chosen = JobInput.objects.select_related("job").filter(
        upload__deleted_at=None, job__deleted_at=None, job__session__deleted_at=None
    )  # deleted items are not touched until they are restored
    if ids:
        chosen = chosen.filter(Q(pk__in=ids) | Q(job__in=ids) | Q(job__session__in=ids))
        if not chosen.exists():
            raise CommandError("No file, job, or session has such an id, or it was deleted.")
    if failed:
        chosen = chosen.filter(status=InputStatus.FAILED)
    return chosen.filter(error_code=code) if code else chosen


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise CommandError(f"{text} is not a valid id.") from wrong
