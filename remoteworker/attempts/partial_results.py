"""Outputs of an attempt that failed before sending all of them; they are not part of a result."""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from jobs.models import JobInput
from jobs.ports.partial_results import Part
from jobs.statuses import InputStatus
from remoteworker.models import StagedOutput


def of(entry: JobInput) -> list[Part]:
    """Return the newest output of each type from the latest attempt, if it failed."""
    if entry.status != InputStatus.FAILED:
        return []
    staged = StagedOutput.objects.filter(attempt__job_input=entry, attempt__number=entry.attempt_count)
    newest = {output.output_type: output for output in staged.order_by("created_at")}
    return [Part(kind, output.absolute_path) for kind, output in sorted(newest.items())]


def paths(jobs: Iterable[UUID]) -> list[Path]:
    """Return the files of every output of these jobs."""
    return [output.absolute_path for output in StagedOutput.objects.filter(attempt__job_input__job__in=jobs)]
