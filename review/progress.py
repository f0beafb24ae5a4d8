"""Review progress for the pages of `jobs`."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from jobs.models import JobInput, Session
from jobs.ports.review_progress import Review
from jobs.statuses import InputStatus
from review.models import Transcript

S = Transcript.ReviewStatus


def of(inputs: Iterable[JobInput]) -> dict[UUID, Review]:
    """Return the review of each complete file."""
    complete = [entry.pk for entry in inputs if entry.status == InputStatus.COMPLETE]
    if not complete:
        return {}
    rows = Transcript.objects.filter(pk__in=complete)
    return {
        pk: Review(status, str(S(status).label), doubtful, reviewer or None)
        for pk, status, doubtful, reviewer in rows.values_list("pk", "review_status", "doubtful", "reviewer")
    }


def done(sessions: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many recordings of these sessions have a transcript that is done."""
    rows = Transcript.objects.filter(
        job_input__job__session__in=list(sessions), job_input__job__deleted_at=None, review_status=S.DONE
    )
    counted = rows.values_list("job_input__job__session").annotate(
        n=Count("job_input__upload", distinct=True)
    )
    return dict(counted)


def counts(session: Session) -> dict[str, int]:
    """Return how many transcripts of a session are in each review status."""
    rows = Transcript.objects.filter(job_input__job__session=session, job_input__job__deleted_at=None)
    return dict(rows.order_by().values_list("review_status").annotate(n=Count("pk")))


def where(statuses: Iterable[str]) -> Q:
    """Return a filter for inputs whose transcript has one of these review statuses."""
    return Q(transcript__review_status__in=list(statuses))
