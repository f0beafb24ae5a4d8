"""The outputs of an attempt that failed before it had sent all: there is no result of them, but they are here."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from jobs.models import JobInput
from jobs.ports.partial_results import Part
from jobs.statuses import InputStatus
from remoteworker.models import StagedOutput


def of(entry: JobInput) -> list[Part]:
    """Return the newest output of each type that the latest attempt sent, where it failed."""
    if entry.status != InputStatus.FAILED:
        return []
    staged = StagedOutput.objects.filter(attempt__job_input=entry, attempt__number=entry.attempt_count)
    newest = {output.output_type: output for output in staged.order_by("created_at")}
    return [Part(kind, output.absolute_path) for kind, output in sorted(newest.items())]


def paths(jobs: Iterable[UUID]) -> list[Path]:
    """Return the files of every output of these jobs."""
    return [output.absolute_path for output in StagedOutput.objects.filter(attempt__job_input__job__in=jobs)]
