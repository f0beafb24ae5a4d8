"""The state of the session page as one response, rendered initially and then polled every 2 s."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, FloatField, Sum, Value, When
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jobs import filters, trash
from jobs.api import schemas
from jobs.api.serializers import input_states, job_head, upload_state, whole_seconds
from jobs.filters import FRESH_SHOWN, PAGE, SHOWS, USED_SHOWN, Choice
from jobs.models import Job, JobInput, Session
from jobs.ports import progress_estimates, review_progress, worker_capabilities
from jobs.ports.progress_estimates import Estimate
from jobs.statuses import ACTIVE, ACTIVE_JOBS, MOVES, WAITING, Event, InputStatus, JobStatus, job_status

AT_FIRST = Choice()
ENDS_TOLD = 20


def state_stamp(session: Session, choice: Choice = AT_FIRST) -> str:
    """Return an opaque value that changes when `session_state` changes, in a few fast queries."""
    parts = [session.state_version, session.name, choice, get_language()]
    if _active(session).exists() or not session.jobs.filter(deleted_at=None).exists():
        parts += [progress_estimates.stamp(), sorted(worker_capabilities.current().notices.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def session_state(session: Session, choice: Choice = AT_FIRST) -> schemas.SessionState:
    """Return the state of a session: new files, the filtered files by job, totals, and a notice."""
    counts = filters.counts(session)
    wanted = filters.chosen(session, choice)
    found = wanted.count() if choice.words else counts.shows[choice.show]
    pages = max(1, -(-found // PAGE))
    page = min(choice.page, pages)
    rows = list(wanted[(page - 1) * PAGE : page * PAGE])
    active = {job.pk: job for job in _active(session)} if counts.shows["active"] else {}
    jobs = Job.objects.in_bulk({row.job_id for row in rows})
    latest = _ended(session)
    estimates = progress_estimates.of_jobs({**jobs, **active}.values())
    sums = _sums(jobs.keys() | active.keys() | latest.keys())
    return schemas.SessionState(
        session=schemas.SessionName(id=str(session.pk), name=session.name),
        uploads=_uploads(session),
        upload_counts=schemas.UploadCounts(new=counts.fresh, good=counts.good, used=counts.used),
        jobs=_jobs(rows, jobs, estimates, sums),
        listed=schemas.Listed(
            show=choice.show, q=choice.words, page=page, pages=pages, found=found, counts=counts.shows
        ),
        totals=_totals(
            counts.totals,
            [estimates[pk] for pk in active if pk in estimates],
            [sums[pk] for pk in active if pk in sums],
        ),
        ends=[_end_of(job, sums[pk]) for pk, job in latest.items() if pk in sums],
        currency=settings.PRICE_CURRENCY,
        deleted=trash.contents(session),
        notice=notice(session) or None,
    )


def notice(session: Session) -> str:
    """Return why queued files of a session, or future ones, are not processed; empty if there is no problem."""
    offer, totals = worker_capabilities.current(), filters.counts(session).totals
    if not any(offer.notices.values()) or (totals.files and not totals.waiting):
        return ""
    waiting = filters.present(session).filter(status__in=WAITING).order_by()
    chosen = set(waiting.values_list("job__use_remote", flat=True).distinct())
    return offer.notice(chosen or {False, offer.has_toggle})


def tabs(state: schemas.SessionState, choice: Choice) -> list[dict[str, Any]]:
    """Return the filter tabs as links."""
    return [
        {
            "show": show,
            "label": str(label),
            "n": state.listed.counts.get(show, 0),
            "address": "?" + choice.address(show=show, page=1),
            "isChosen": show == choice.show,
        }
        for show, label in SHOWS.items()
    ]


def pages(state: schemas.SessionState, choice: Choice) -> dict[str, Any]:
    """Return links to the previous and next page; none if there is only one."""
    page, last = state.listed.page, state.listed.pages
    return {
        "page": page,
        "last": last,
        "before": "?" + choice.address(page=page - 1) if page > 1 else "",
        "after": "?" + choice.address(page=page + 1) if page < last else "",
    }


def _active(session: Session) -> Any:
    return session.jobs.filter(deleted_at=None, status__in=ACTIVE_JOBS)


def _uploads(session: Session) -> list[schemas.Upload]:
    fresh, used = filters.fresh(session)[:FRESH_SHOWN], filters.used(session)[:USED_SHOWN]
    new = [upload_state(upload, is_new=True) for upload in fresh]
    return new + [upload_state(upload, is_new=False) for upload in used]


def _totals(totals: schemas.FileTotals, known: list[Estimate], active: "list[Sums]") -> schemas.Totals:
    """All files, and of the jobs that have not ended how far they are, when they will be done, what they cost."""
    left = [one.eta_seconds for one in known if one.eta_seconds is not None]
    costs = [one.cost for one in known if one.cost is not None]
    return schemas.Totals(
        **dict(totals),
        active_percent=_percent(active),
        eta_seconds=whole_seconds(max(left, default=None)),
        cost=round(sum(costs), 2) if costs else None,
    )


def _jobs(
    rows: list[JobInput],
    jobs: Mapping[UUID, Job],
    estimates: Mapping[UUID, Estimate],
    sums: "Mapping[UUID, Sums]",
) -> list[schemas.JobOnPage]:
    """Return the jobs of these files in order, each with the given files only."""
    by_job: dict[UUID, list[JobInput]] = {}
    for row in rows:
        by_job.setdefault(row.job_id, []).append(row)
    queue_status, review = progress_estimates.of(rows), review_progress.of(rows)
    return [
        _job(
            jobs[pk],
            sums[pk],
            estimates.get(pk, progress_estimates.OPEN),
            input_states(by_job[pk], queue_status, review),
        )
        for pk in by_job
    ]


Sums = dict[InputStatus, tuple[int, float]]  # how many files, and the sum of their percents


def _sums(jobs: Iterable[UUID]) -> dict[UUID, Sums]:
    """Count all files of each job by status, including those not shown."""
    far = Case(When(status__in=ACTIVE, then=F("percent")), default=Value(100.0), output_field=FloatField())
    grouped = JobInput.objects.filter(job__in=list(jobs)).order_by().values_list("job", "status")
    found: dict[UUID, Sums] = {}
    for job, status, n, percent in grouped.annotate(n=Count("pk"), far=Sum(far)):
        found.setdefault(job, {})[InputStatus(status)] = (n, percent)
    return found


def _percent(sums: "list[Sums]") -> float | None:
    """Return the progress over all files of these jobs; None if there are none."""
    files = sum(n for one in sums for n, _far in one.values())
    return round(sum(far for one in sums for _n, far in one.values()) / files, 1) if files else None


def _ended(session: Session) -> dict[UUID, Job]:
    """Return the most recently ended jobs, latest first."""
    ended = session.jobs.filter(deleted_at=None, ended_at__isnull=False).order_by("-ended_at")
    return {job.pk: job for job in ended[:ENDS_TOLD]}


def _end_of(job: Job, sums: "Sums") -> schemas.Ended:
    """Return what an open page announces about an ended job."""
    assert job.ended_at is not None
    return schemas.Ended(
        id=str(job.pk),
        status=JobStatus(job.status),
        ended_at=job.ended_at.isoformat(timespec="microseconds"),
        files=sum(n for n, _percent in sums.values()),
        complete=sums.get(InputStatus.COMPLETE, (0, 0.0))[0],
        failed=sums.get(InputStatus.FAILED, (0, 0.0))[0],
    )


def _job(job: Job, sums: Sums, estimate: Estimate, shown: list[schemas.Input]) -> schemas.JobOnPage:
    files = sum(n for n, _percent in sums.values())
    cost = estimate.cost
    return schemas.JobOnPage(
        **dict(job_head(job, job_status(list(sums)))),
        percent=_percent([sums]) or 0.0,
        can_cancel=any(one in ACTIVE for one in sums),
        can_retry=any(one in MOVES[Event.RETRIED].sources for one in sums),
        inputs=shown,
        files=files,
        files_text=_("%(n)s files") % {"n": files},
        failed=sums.get(InputStatus.FAILED, (0, 0.0))[0],
        eta_seconds=whole_seconds(estimate.eta_seconds),
        cost=round(cost, 2) if cost is not None else None,
    )
