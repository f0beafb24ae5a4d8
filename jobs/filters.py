"""Which files of a session its page shows: filtered, searched, and paginated, with counts for each filter."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet, Sum
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jobs.api.schemas import FileTotals
from jobs.models import Job, JobInput, Session, Upload
from jobs.models.sessions import LEAST_AUDIBLE
from jobs.ports import review_progress
from jobs.statuses import ACTIVE, WAITING, InputStatus

PAGE = 50  # files
FRESH_SHOWN = 400  # files that no job has yet
USED_SHOWN = 20
SESSIONS_KEPT = 200
TOLD_AHEAD = timedelta(days=7)
SHOWS: dict[str, Promise] = {
    "all": _("All"),
    "active": _("In progress"),
    "failed": _("Failed"),
    "to-review": _("To review"),
    "in-review": _("In review"),
    "reviewed": _("Done"),
}
REVIEWS = {"to-review": ("new", "second_look"), "in-review": ("in_review",), "reviewed": ("done",)}


@dataclass(frozen=True)
class Choice:
    """The filters chosen for a session; `page` starts at 1."""

    show: str = "all"
    words: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: QueryDict) -> "Choice":
        """Parse a query string; invalid values are ignored."""
        show, page = query.get("show", ""), query.get("page", "")
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
        words = query.get("q", "").replace("\0", "").strip()[:200]
        return cls(show if show in SHOWS else "all", words, max(1, number))

    def address(self, **changes: Any) -> str:
        """Return the query string for these filters with changes; empty for the defaults."""
        wanted = {"show": self.show, "q": self.words, "page": self.page, **changes}
        usual = {"show": "all", "q": "", "page": 1}
        return urlencode({key: value for key, value in wanted.items() if value != usual[key]})


def chosen(session: Session, choice: Choice) -> QuerySet[JobInput]:
    """Return the matching files of the session's jobs, newest job first."""
    rows = present(session)
    if choice.show == "active":
        rows = rows.filter(status__in=ACTIVE)
    elif choice.show == "failed":
        rows = rows.filter(status=InputStatus.FAILED)
    elif choice.show in REVIEWS:
        rows = rows.filter(review_progress.where(REVIEWS[choice.show]))
    for word in choice.words.split():
        rows = rows.filter(_named(word))
    return rows.select_related("upload").order_by("-job__number", "position")


def _named(word: str) -> Q:
    found = Q()
    for form in spellings(word):
        found |= Q(upload__name__icontains=form) | Q(upload__folder__icontains=form)
    return found


def spellings(word: str) -> set[str]:
    """Return the forms in which a word may appear in a name.

    SQLite ignores case for ASCII only, and no database treats a precomposed ü like u with a combining diaeresis,
    which is how macOS writes it.
    """
    cases = [word] if word.isascii() else [word, word.lower(), word.upper(), word.title()]
    return {unicodedata.normalize(form, one) for one in cases for form in ("NFC", "NFD")}


def present(session: Session) -> QuerySet[JobInput]:
    """Return the files of all jobs of the session that are not deleted."""
    return JobInput.objects.filter(job__session=session, job__deleted_at=None)


def fresh(session: Session) -> QuerySet[Upload]:
    """Return the files without a job, newest first."""
    return _uploads(session, is_used=False)


def good(session: Session) -> QuerySet[Upload]:
    """Return the new files that are audible or not analyzed yet."""
    audible = fresh(session).exclude(sound__audible__lt=LEAST_AUDIBLE)
    return audible.filter(Q(sound=None) | Q(sound__problem=""))


def used(session: Session) -> QuerySet[Upload]:
    """Return the files that belong to a job, newest first."""
    return _uploads(session, is_used=True)


def _uploads(session: Session, *, is_used: bool) -> QuerySet[Upload]:
    # `in`: a plain `is_used=…` becomes a bare column or NOT, for which SQLite uses no index
    rows = session.uploads.filter(is_used__in=[is_used], deleted_at=None)
    return rows.order_by("-created_at", "-pk").select_related("sound").defer("sound__levels")


def sessions(person: User) -> list[dict[str, Any]]:
    """Return a user's sessions with counts, most recently changed first, in a constant number of queries."""
    theirs = list(Session.objects.filter(owner=person, deleted_at=None))
    contents = _listed.of(theirs)
    return [
        {
            "id": one.pk,
            "name": one.name,
            "touched_at": one.touched_at,
            "ends_at": _told_end(one),
            **contents[one.pk],
        }
        for one in theirs
    ]


def _told_end(session: Session) -> datetime | None:
    """Return when the session moves to Trash, if that is soon."""
    ends_at = session.kept_until
    return ends_at if ends_at and ends_at - timezone.now() <= TOLD_AHEAD else None


def _contents(some: Collection[Session]) -> dict[UUID, dict[str, Any]]:
    files = Upload.objects.filter(session__in=some, deleted_at=None).order_by().values_list("session")
    file_counts = dict(files.annotate(n=Count("pk")))
    done = JobInput.objects.filter(
        job__session__in=some, job__deleted_at=None, status=InputStatus.COMPLETE
    ).order_by()
    grouped = done.values_list("job__session")
    complete = {
        pk: (n, seconds)
        for pk, n, seconds in grouped.annotate(
            n=Count("upload", distinct=True), seconds=Sum("audio_duration")
        )
    }
    reviewed = review_progress.done(complete) if complete else {}
    return {
        one.pk: {
            "file_count": file_counts.get(one.pk, 0),
            "complete_count": complete.get(one.pk, (0, None))[0],
            "seconds": complete.get(one.pk, (0, None))[1],
            "reviewed": reviewed.get(one.pk),
        }
        for one in some
    }


Counted = TypeVar("Counted")


class Remembered(Generic[Counted]):
    """A cache of counts per session, recomputed only after changes: with 50,000 files, counting takes a while.

    `state_version` must be read before counting: the counts may be newer than it, but never older.
    """

    def __init__(self, count: Callable[[Collection[Session]], Mapping[UUID, Counted]]) -> None:
        self._count = count
        self._known: dict[UUID, tuple[int, Counted]] = {}

    def of(self, some: Collection[Session]) -> dict[UUID, Counted]:
        """Return the counts for each of these sessions."""
        known = {one.pk: self._known.get(one.pk) for one in some}
        found = {one.pk: kept[1] for one in some if (kept := known[one.pk]) and kept[0] == one.state_version}
        missing = [one for one in some if one.pk not in found]
        if missing:
            fresh = self._count(missing)
            found |= fresh
            for one in missing:
                self._known.pop(one.pk, None)
                self._known[one.pk] = (one.state_version, fresh[one.pk])
        while len(self._known) > max(SESSIONS_KEPT, len(some)):
            self._known.pop(next(iter(self._known)), None)
        return found


_listed = Remembered(_contents)


@dataclass(frozen=True)
class Counts:
    """Counts for a session."""

    totals: FileTotals
    shows: dict[str, int]
    fresh: int
    good: int
    used: int


def counts(session: Session) -> Counts:
    """Count the files of a session."""
    return _counted.of([session])[session.pk]


_counted = Remembered(lambda some: {one.pk: _count(one) for one in some})


def _count(session: Session) -> Counts:
    by_status = dict.fromkeys(InputStatus, (0, 0.0, 0.0))
    grouped = present(session).order_by().values_list("status")
    counted = grouped.annotate(n=Count("pk"), long=Sum("audio_duration"), far=Sum("percent"))
    for status, n, long, far in counted:
        by_status[InputStatus(status)] = (n, long or 0.0, far or 0.0)
    number = {status: n for status, (n, _long, _far) in by_status.items()}
    files = sum(number.values())
    done = sum(far if status in ACTIVE else 100.0 * n for status, (n, _long, far) in by_status.items())
    totals = FileTotals(
        files=files,
        seconds=sum(long for _n, long, _far in by_status.values()),
        complete=number[InputStatus.COMPLETE],
        running=number[InputStatus.RUNNING],
        waiting=sum(number[status] for status in WAITING),
        failed=number[InputStatus.FAILED],
        canceled=number[InputStatus.CANCELED],
        percent=round(done / files, 1) if files else 0.0,
    )
    reviewed = review_progress.counts(session) if number[InputStatus.COMPLETE] else {}
    shows = {
        "all": files,
        "active": sum(number[status] for status in ACTIVE),
        "failed": number[InputStatus.FAILED],
        **{show: sum(reviewed.get(status, 0) for status in kinds) for show, kinds in REVIEWS.items()},
    }
    return Counts(totals, shows, fresh(session).count(), good(session).count(), used(session).count())


def wanted(
    session: Session, named: list[Upload], *, all_new: bool = False, files_of: Job | None = None
) -> list[Upload]:
    """Return the individually selected files, all new files, and the files of a job, without duplicates.

    Silent new files are included only if selected individually.
    """
    found = {upload.pk: upload for upload in named}
    if all_new:
        found |= {upload.pk: upload for upload in good(session).order_by("created_at", "name")}
    if files_of is not None:
        inputs = files_of.inputs.filter(upload__deleted_at=None).select_related("upload").order_by("position")
        found |= {entry.upload_id: entry.upload for entry in inputs}
    return list(found.values())
