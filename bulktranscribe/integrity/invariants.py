"""The ten invariants of jobs, attempts, results, and files, checked in the database.

`docs/operations.md` lists them. Most cost a few queries; files are hashed only on request.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet

from bulktranscribe.integrity import storage_audit
from jobs.api.serializers import job_state
from jobs.models import Job, JobEvent, JobInput, Result, Upload
from jobs.statuses import AT_A_WORKER, ENDED, MOVES, Event, InputStatus, job_status
from remoteworker import clock
from remoteworker.models import Attempt, Tick
from review.models import Transcript

S = InputStatus
LONGEST_PAUSE = timedelta(seconds=600)  # nothing is put off for longer than a worker's Retry-After


@dataclass(frozen=True)
class Broken:
    """A violation of an invariant."""

    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.number}: {self.what}"


def check(*, files: bool = True) -> list[Broken]:
    """Return all violations; `files` also reads and hashes the files on disk."""
    found = [Broken(number, what) for number, holds in INVARIANTS.items() for what in holds()]
    if files:
        on_disk = storage_audit.look(verify=True)
        found += [Broken(4, f"damaged: {path}") for path in on_disk.damaged]
        found += [Broken(9, f"no row for {path}") for path in on_disk.orphans]
        found += [Broken(9, f"missing on disk: {path}") for path in on_disk.missing]
    return found


def one_active_attempt() -> Iterator[str]:
    active = Attempt.objects.filter(ended_at=None)
    counted = active.values("job_input").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (f"{row['n']} active attempts of input {row['job_input']}" for row in counted)
    for attempt in active.exclude(job_input__status__in=AT_A_WORKER):
        yield f"attempt {attempt.pk} is active, its input is not"
    for attempt in active.exclude(number=F("job_input__attempt_count")):
        yield f"attempt {attempt.pk} is active, but not the latest"
    at_work = JobInput.objects.filter(status__in=AT_A_WORKER)
    lonely = at_work.filter(~Exists(active.filter(job_input=OuterRef("pk"))))
    yield from (f"input {entry.pk} is {entry.status} without an active attempt" for entry in lonely)


def one_result() -> Iterator[str]:
    complete = Attempt.objects.filter(outcome=Attempt.Outcome.COMPLETE)
    twice = complete.values("job_input").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (f"{row['n']} complete attempts of input {row['job_input']}" for row in twice)
    its_attempt = complete.filter(job_input=OuterRef("job_input"), number=OuterRef("attempt_number"))
    for result in Result.objects.filter(~Exists(its_attempt)):
        yield f"the result of input {result.job_input_id} belongs to no complete attempt"
    for result in Result.objects.exclude(attempt_number=F("job_input__attempt_count")):
        yield f"the result of input {result.job_input_id} belongs to a superseded attempt"
    for result in Result.objects.exclude(job_input__status=S.COMPLETE):
        yield f"input {result.job_input_id} has a result but is not complete"


def numbers_grow() -> Iterator[str]:
    counted = JobInput.objects.annotate(n=Count("attempts"), last=Max("attempts__number"))
    for entry in counted.exclude(n=F("attempt_count")):
        yield f"input {entry.pk}: {entry.n} attempts, but its count is {entry.attempt_count}"
    for entry in counted.exclude(last=None).exclude(last=F("attempt_count")):
        yield f"input {entry.pk}: its latest attempt is not number {entry.attempt_count}"


def complete_has_everything() -> Iterator[str]:
    complete = JobInput.objects.filter(status=S.COMPLETE)
    for entry in complete.filter(result=None):
        yield f"input {entry.pk} is complete without a result"
    written = Transcript.objects.filter(job_input=OuterRef("pk"))
    for entry in complete.filter(~Exists(written)):
        yield f"input {entry.pk} is complete without a transcript"
    for result in Result.objects.exclude(files__output_type="json"):
        yield f"the result of input {result.job_input_id} has no document"


def nothing_overdue() -> Iterator[str]:
    now = clock.now()
    last = Tick.objects.filter(name="poll_workers").first()
    if last is None or abs(now - last.at) > timedelta(seconds=settings.TICK_ALARM_SECONDS):
        return  # nobody ticks: /healthz says so
    yield from overdue(now)


def overdue(now: datetime) -> Iterator[str]:
    """Yield items that should have been decided long ago."""
    limit = now - timedelta(seconds=settings.OVERDUE_SECONDS)
    active = Attempt.objects.filter(ended_at=None)
    unanswered = limit - timedelta(seconds=settings.DISPATCH_TIMEOUT_SECONDS)
    late: dict[str, QuerySet[Attempt]] = {
        "is past its lease": active.exclude(worker_job_id="").filter(lease_until__lt=limit),
        "is past its deadline": active.exclude(worker_job_id="").filter(deadline_at__lt=limit),
        "was never answered": active.filter(worker_job_id="", created_at__lt=unanswered),
        "is still waiting for outputs": active.filter(outputs_due_at__lt=limit),
    }
    for what, attempts in late.items():
        yield from (f"attempt {attempt.pk} {what}" for attempt in attempts)
    for entry in JobInput.objects.filter(status=S.QUEUED, not_before__gt=now + LONGEST_PAUSE):
        yield f"input {entry.pk} is postponed until {entry.not_before}"


def moves_follow_the_table() -> Iterator[str]:
    rows = JobEvent.objects.order_by("job_input_id", "id").values_list(
        "job_input_id", "job_input__status", "event", "source", "target"
    )
    for (pk, status), events in groupby(rows.iterator(), key=lambda row: row[:2]):
        at: str = S.QUEUED
        for _pk, _status, event, source, target in events:
            move = MOVES[Event(event)]
            if source != at or source not in move.sources or target != move.target:
                yield f"input {pk}: {event} led from {source} to {target}, but it was {at}"
            at = target
        if at != status:
            yield f"input {pk} is {status}, its last event says {at}"


def progress_is_sane() -> Iterator[str]:
    wrong = (
        Q(percent__lt=0)
        | Q(percent__gt=100)
        | Q(status=S.COMPLETE, percent__lt=100)
        | Q(status=S.QUEUED, percent__gt=0)
    )
    yield from (f"input {e.pk} is {e.status} at {e.percent}%" for e in JobInput.objects.filter(wrong))


def canceled_has_no_result() -> Iterator[str]:
    for result in Result.objects.filter(job_input__status=S.CANCELED):
        yield f"canceled input {result.job_input_id} has a result"


def pages_say_what_rows_say() -> Iterator[str]:
    for job in Job.objects.prefetch_related("inputs__upload"):
        statuses = [entry.status for entry in job.inputs.all()]
        if job.status != job_status(statuses):
            yield f"job {job.pk} is {job.status}, its files say {job_status(statuses)}"
        if (job.ended_at is not None) != (not set(statuses) - set(ENDED)):
            yield f"job {job.pk}: its end is {job.ended_at}, its files are {sorted(set(statuses))}"
        shown = [entry.status for entry in job_state(job, {}, {}).inputs]
        if shown != statuses:
            yield f"job {job.pk}: its page shows {shown}, its files are {statuses}"
    in_a_job = Exists(JobInput.objects.filter(upload=OuterRef("pk"), job__deleted_at=None))
    for upload in Upload.objects.annotate(in_a_job=in_a_job).exclude(is_used=F("in_a_job")):
        yield f"upload {upload.pk} is {'' if upload.is_used else 'not '}marked as used"


INVARIANTS: dict[int, Callable[[], Iterator[str]]] = {
    1: one_active_attempt,
    2: one_result,
    3: numbers_grow,
    4: complete_has_everything,
    5: nothing_overdue,
    6: moves_follow_the_table,
    7: progress_is_sane,
    8: canceled_has_no_result,
    10: pages_say_what_rows_say,
}
