"""`manage.py requeue`: files back into the queue, by id or all that failed with a code."""

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
    help = "Queue files again: failed and canceled ones as Retry does; with --running, take them from their worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=_uuid, help="of files, jobs or sessions")
        parser.add_argument("--failed", action="store_true", help="every failed file")
        parser.add_argument("--code", help="of those only the ones that failed with this code")
        parser.add_argument("--running", action="store_true", help="also those that a worker has now")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = _chosen(options["ids"], options["failed"], options["code"])
        count = sum(batches.retry_input(entry, ACTOR) for entry in chosen)
        if options["running"]:
            held = Attempt.objects.filter(ended_at=None, job_input__in=chosen)
            for attempt in held.select_related("job_input__job", "worker"):
                count += dispatch.move_away(attempt, ACTOR, "Taken from its worker by manage.py requeue.")
        self.stdout.write(f"Queued again: {count}")


def _chosen(ids: list[UUID], failed: bool, code: str | None) -> QuerySet[JobInput]:
    if not ids and not failed:
        raise CommandError("Name files, jobs or sessions by their ids, or say --failed.")
    chosen = JobInput.objects.select_related("job").filter(
        upload__deleted_at=None, job__deleted_at=None, job__session__deleted_at=None
    )  # what was deleted stays where it is, until somebody brings it back
    if ids:
        chosen = chosen.filter(Q(pk__in=ids) | Q(job__in=ids) | Q(job__session__in=ids))
        if not chosen.exists():
            raise CommandError("No file, job or session has such an id, or it was deleted.")
    if failed:
        chosen = chosen.filter(status=InputStatus.FAILED)
    return chosen.filter(error_code=code) if code else chosen


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise CommandError(f"{text} is not an id.") from wrong
