"""How far people are with the transcripts of files, for the pages of `jobs`."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count

from jobs.models import JobInput
from jobs.reviews import Review
from jobs.statuses import InputStatus
from review.models import Transcript

S = Transcript.ReviewStatus


def of(inputs: Iterable[JobInput]) -> dict[UUID, Review]:
    """Return the review of each complete file; asks by jobs, which are few, where files may be thousands."""
    jobs = {entry.job_id for entry in inputs if entry.status == InputStatus.COMPLETE}
    if not jobs:
        return {}
    rows = Transcript.objects.filter(job_input__job__in=jobs)
    return {
        pk: Review(status, str(S(status).label), doubtful, reviewer or None)
        for pk, status, doubtful, reviewer in rows.values_list("pk", "review_status", "doubtful", "reviewer")
    }


def done(sessions: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many recordings of these sessions have a transcript that is done."""
    rows = Transcript.objects.filter(job_input__job__session__in=list(sessions), review_status=S.DONE)
    counted = rows.values_list("job_input__job__session").annotate(
        n=Count("job_input__upload", distinct=True)
    )
    return dict(counted)
