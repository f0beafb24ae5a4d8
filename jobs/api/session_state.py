"""What the session page shows, as one mapping: read by the page at first and then every 2 s."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, FloatField, Sum, Value, When
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jobs import filters, trash
from jobs.api.serializers import input_state, job_facts, upload_state, whole_seconds
from jobs.filters import FRESH_SHOWN, PAGE, SHOWS, USED_SHOWN, Choice
from jobs.models import Job, JobInput, Session
from jobs.ports import progress_estimates, review_progress, worker_capabilities
from jobs.ports.progress_estimates import Estimate
from jobs.statuses import ACTIVE, ACTIVE_JOBS, MOVES, WAITING, Event, InputStatus, job_status

AT_FIRST = Choice()
ENDS_TOLD = 20


def state_stamp(session: Session, choice: Choice = AT_FIRST) -> str:
    """Return a text that is another one once `session_state` would be; a few quick queries, however many files."""
    parts = [session.state_version, session.name, choice, get_language()]
    if _active(session).exists() or not session.jobs.filter(deleted_at=None).exists():
        parts += [progress_estimates.stamp(), sorted(worker_capabilities.current().notices.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def session_state(session: Session, choice: Choice = AT_FIRST) -> dict[str, Any]:
    """Return what the page shows of a session: its new files, the chosen files by job, totals, a notice."""
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
    return {
        "session": {"id": str(session.pk), "name": session.name},
        "uploads": _uploads(session),
        "uploadCounts": {"new": counts.fresh, "good": counts.good, "used": counts.used},
        "jobs": _jobs(rows, jobs, estimates, sums),
        "list": {
            "show": choice.show,
            "q": choice.words,
            "page": page,
            "pages": pages,
            "found": found,
            "counts": counts.shows,
        },
        "totals": {
            **counts.totals,
            **_outlook(estimates[pk] for pk in active if pk in estimates),
            "activePercent": _percent([sums[pk] for pk in active if pk in sums]),
        },
        "ends": [_end_of(job, sums[pk]) for pk, job in latest.items() if pk in sums],
        "currency": settings.PRICE_CURRENCY,
        "deleted": trash.contents(session),
        "notice": notice(session) or None,
    }


def notice(session: Session) -> str:
    """Return why nobody takes what waits in a session, or would wait in one without jobs; empty where all is well."""
    offer, totals = worker_capabilities.current(), filters.counts(session).totals
    if not any(offer.notices.values()) or (totals["files"] and not totals["waiting"]):
        return ""
    waiting = filters.present(session).filter(status__in=WAITING).order_by()
    chosen = set(waiting.values_list("job__use_remote", flat=True).distinct())
    return offer.notice(chosen or {False, offer.has_toggle})


def tabs(state: dict[str, Any], choice: Choice) -> list[dict[str, Any]]:
    """Return the choices above the list, as links."""
    return [
        {
            "show": show,
            "label": str(label),
            "n": state["list"]["counts"].get(show, 0),
            "address": "?" + choice.address(show=show, page=1),
            "isChosen": show == choice.show,
        }
        for show, label in SHOWS.items()
    ]


def pages(state: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """Return the way to the pages before and after; nothing where there is one page."""
    page, last = state["list"]["page"], state["list"]["pages"]
    return {
        "page": page,
        "last": last,
        "before": "?" + choice.address(page=page - 1) if page > 1 else "",
        "after": "?" + choice.address(page=page + 1) if page < last else "",
    }


def _active(session: Session) -> Any:
    return session.jobs.filter(deleted_at=None, status__in=ACTIVE_JOBS)


def _uploads(session: Session) -> list[dict[str, Any]]:
    fresh, used = filters.fresh(session)[:FRESH_SHOWN], filters.used(session)[:USED_SHOWN]
    new = [upload_state(upload, is_new=True) for upload in fresh]
    return new + [upload_state(upload, is_new=False) for upload in used]


def _outlook(estimates: Iterable[Estimate]) -> dict[str, float | None]:
    """When all that has not ended will be done, and what it costs."""
    known = list(estimates)
    left = [one.eta_seconds for one in known if one.eta_seconds is not None]
    costs = [one.cost for one in known if one.cost is not None]
    return {
        "etaSeconds": whole_seconds(max(left, default=None)),
        "cost": round(sum(costs), 2) if costs else None,
    }


def _jobs(
    rows: list[JobInput],
    jobs: Mapping[UUID, Job],
    estimates: Mapping[UUID, Estimate],
    sums: "Mapping[UUID, Sums]",
) -> list[dict[str, Any]]:
    """The jobs of these files, in their order, each with those of its files that are among them."""
    by_job: dict[UUID, list[JobInput]] = {}
    for row in rows:
        by_job.setdefault(row.job_id, []).append(row)
    queue_status, review = progress_estimates.of(rows), review_progress.of(rows)
    return [
        {
            **job_facts(jobs[pk]),
            **_sum_of(sums[pk], estimates.get(pk, progress_estimates.OPEN)),
            "inputs": [
                input_state(row, queue_status.get(row.pk, progress_estimates.UNKNOWN), review.get(row.pk))
                for row in by_job[pk]
            ],
        }
        for pk in by_job
    ]


Sums = dict[InputStatus, tuple[int, float]]  # how many files, and the sum of their percents


def _sums(jobs: Iterable[UUID]) -> dict[UUID, Sums]:
    """All files of each job by status, not only those shown."""
    far = Case(When(status__in=ACTIVE, then=F("percent")), default=Value(100.0), output_field=FloatField())
    grouped = JobInput.objects.filter(job__in=list(jobs)).order_by().values_list("job", "status")
    found: dict[UUID, Sums] = {}
    for job, status, n, percent in grouped.annotate(n=Count("pk"), far=Sum(far)):
        found.setdefault(job, {})[InputStatus(status)] = (n, percent)
    return found


def _percent(sums: "list[Sums]") -> float | None:
    """How far all files of these jobs are; None where there is none."""
    files = sum(n for one in sums for n, _far in one.values())
    return round(sum(far for one in sums for _n, far in one.values()) / files, 1) if files else None


def _ended(session: Session) -> dict[UUID, Job]:
    """The jobs that ended last, the latest first."""
    ended = session.jobs.filter(deleted_at=None, ended_at__isnull=False).order_by("-ended_at")
    return {job.pk: job for job in ended[:ENDS_TOLD]}


def _end_of(job: Job, sums: "Sums") -> dict[str, Any]:
    """What a page that was open meanwhile tells of an end."""
    assert job.ended_at is not None
    return {
        "id": str(job.pk),
        "status": job.status,
        "endedAt": job.ended_at.isoformat(timespec="microseconds"),
        "files": sum(n for n, _percent in sums.values()),
        "complete": sums.get(InputStatus.COMPLETE, (0, 0.0))[0],
        "failed": sums.get(InputStatus.FAILED, (0, 0.0))[0],
    }


def _sum_of(sums: Sums, estimate: Estimate) -> dict[str, Any]:
    files = sum(n for n, _percent in sums.values())
    status = job_status(list(sums))
    cost = estimate.cost
    return {
        "status": status,
        "statusText": str(status.label),
        "files": files,
        "filesText": _("%(n)s files") % {"n": files},
        "percent": _percent([sums]) or 0.0,
        "canCancel": any(one in ACTIVE for one in sums),
        "canRetry": any(one in MOVES[Event.RETRIED].sources for one in sums),
        "failed": sums.get(InputStatus.FAILED, (0, 0.0))[0],
        "etaSeconds": whole_seconds(estimate.eta_seconds),
        "cost": round(cost, 2) if cost is not None else None,
    }
