"""Compares files on disk with rows in the database, and removes orphaned files."""

import hashlib
import logging
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import F, Q, QuerySet

from jobs.models import IncomingUpload, PlayableCopy, ResultFile, Upload
from jobs.statuses import InputStatus
from jobs.uploads import resumable
from remoteworker import clock
from remoteworker.models import Attempt, StagedOutput

Rows = TypeVar("Rows", bound="QuerySet[Any, Any]")

log = logging.getLogger(__name__)
FOLDERS = (settings.MEDIA_DIR, settings.RESULTS_DIR, settings.INCOMING_DIR, settings.TEMP_DIR)
TELLING = timedelta(days=1)  # after its deadline a worker is told no longer that a job was canceled
AT_A_TIME = 400  # files whose rows are asked for at once; SQLite takes 999 values in a query
ID = re.compile(r"[0-9a-f]{32}")  # in the name of a file or its folder: whose it is


@dataclass(frozen=True)
class Kept:
    """The metadata of a file in its row."""

    size_bytes: int
    sha256: str


@dataclass
class Findings:
    """Orphaned, missing, and damaged files."""

    orphans: list[Path] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.orphans or self.missing or self.damaged)


def look(*, verify: bool = False) -> Findings:
    """Compare the folders of recordings and results with the rows; `verify` also hashes all files."""
    found = {path: path.stat().st_size for path in _files()}  # before the rows: what comes meanwhile has one
    known = _rows()
    findings = Findings(orphans=sorted(found.keys() - known.keys()))
    for path, kept in sorted(known.items()):
        size = found.get(path, path.stat().st_size if path.exists() else None)
        if size is None:
            findings.missing.append(path)
        elif size != kept.size_bytes or (verify and _digest(path) != kept.sha256):
            findings.damaged.append(path)
    return findings


def sweep() -> int:
    """Remove files left by killed processes or superseded attempts; return how many.

    Only files older than ORPHAN_SECONDS, since the row of a recent file may not be committed yet.
    """
    _forget_outputs()
    _end_telling()
    expired = resumable.sweep()
    old = time.time() - settings.ORPHAN_SECONDS
    present = chain(_files(), _walk(Path(settings.INCOMING_DIR)))
    unknown = [path for some in _parts(present) for path in _without_row(some)]
    gone = expired + sum(_remove(path, old) for path in [*unknown, *_walk(Path(settings.TEMP_DIR))])
    if gone:
        log.info("orphans removed", extra={"files": gone})
    return gone


def _without_row(paths: list[Path]) -> Iterator[Path]:
    """Return the files without a row. Rows are read after the listing, so that new files have theirs.

    Processed in parts: reading all rows at once would use more memory with every file there ever was.
    """
    ids = {name for path in paths for name in ID.findall(str(path))}
    known = _rows(ids).keys() | {entry.path for entry in IncomingUpload.objects.filter(pk__in=ids)}
    return (path for path in paths if path not in known)


def _remove(path: Path, before: float) -> bool:
    try:
        if path.stat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    try:
        if path.parent not in map(Path, FOLDERS):
            path.parent.rmdir()
    except OSError:
        pass  # others are in it
    return True


def _forget_outputs() -> None:
    """Delete outputs of ended attempts with their rows, except those of results and of latest failures, which are the
    only partial results."""
    over = clock.now() - timedelta(seconds=settings.ORPHAN_SECONDS)
    stale = StagedOutput.objects.filter(attempt__ended_at__lt=over)
    is_last_word = Q(
        attempt__number=F("attempt__job_input__attempt_count"),
        attempt__job_input__status__in=(InputStatus.FAILED, InputStatus.COMPLETE),
    )
    stale.exclude(is_last_word).delete()


def _end_telling() -> None:
    past = clock.now() - TELLING
    Attempt.objects.filter(cancel_pending=True, ended_at__lt=past, deadline_at__lt=past).update(
        cancel_pending=False
    )


def _files() -> Iterator[Path]:
    return chain(_walk(Path(settings.MEDIA_DIR)), _walk(Path(settings.RESULTS_DIR)))


def _walk(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder lazily: Path.rglob would keep all of them in memory."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _walk(Path(entry.path))
                elif entry.is_file():
                    yield Path(entry.path)
    except FileNotFoundError:
        pass  # its last file went, and it with it


def _parts(paths: Iterable[Path]) -> Iterator[list[Path]]:
    left = iter(paths)
    while part := list(islice(left, AT_A_TIME)):
        yield part


def _rows(ids: Collection[str] | None = None) -> dict[Path, Kept]:
    """Return the metadata in rows; `ids` limits it to these uploads and attempts."""
    results = Path(settings.RESULTS_DIR)
    uploads = _of(Upload.objects.all(), "pk__in", ids)
    known = {upload.path: Kept(upload.size_bytes, upload.sha256) for upload in uploads.iterator()}
    copies = _of(PlayableCopy.objects.filter(size_bytes__gt=0).select_related("upload"), "pk__in", ids)
    known |= {copy.path: Kept(copy.size_bytes, copy.sha256) for copy in copies.iterator()}
    what = ("path", "size_bytes", "sha256")
    kept = _of(ResultFile.objects.values_list(*what), "result__job_input__attempts__in", ids)
    staged = _of(StagedOutput.objects.values_list(*what), "attempt__in", ids)
    for path, size, digest in chain(kept.iterator(), staged.iterator()):
        known[results / path] = Kept(size, digest)
    return known


def _of(rows: Rows, whose: str, ids: Collection[str] | None) -> Rows:
    return rows if ids is None else rows.filter(**{whose: ids})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
