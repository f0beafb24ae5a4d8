"""Bytes on the disk and rows in the database, held against each other; what belongs to nobody is swept away."""

import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F, Q

from jobs import incoming
from jobs.models import IncomingUpload, ResultFile, Upload
from jobs.statuses import InputStatus
from remoteworker import clock
from remoteworker.models import Attempt, StagedOutput

log = logging.getLogger(__name__)
FOLDERS = (settings.MEDIA_DIR, settings.RESULTS_DIR, settings.INCOMING_DIR, settings.TEMP_DIR)
TELLING = timedelta(days=1)  # after its deadline a worker is told no longer that a job was canceled


@dataclass(frozen=True)
class Kept:
    """What a row says of a file."""

    size_bytes: int
    sha256: str


@dataclass
class Findings:
    """Files without a row, rows without a file, files that are not what their row says."""

    orphans: list[Path] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.orphans or self.missing or self.damaged)


def look(*, verify: bool = False) -> Findings:
    """Compare the folders of recordings and results with the rows; `verify` reads every byte and hashes it."""
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
    """Remove what a killed process or a replaced attempt left; return how many files went.

    Only what is older than ORPHAN_SECONDS: a younger file's row may be on its way.
    """
    _forget_outputs()
    _end_telling()
    expired = incoming.sweep()
    old = time.time() - settings.ORPHAN_SECONDS
    # Before the rows: what comes meanwhile has one.
    present = [*_files(), *Path(settings.INCOMING_DIR).iterdir()]
    known = _rows().keys() | {entry.path for entry in IncomingUpload.objects.iterator()}
    unknown = [path for path in present if path not in known]
    left = [path for path in Path(settings.TEMP_DIR).rglob("*") if path.is_file()]
    gone = expired + sum(_remove(path, old) for path in [*unknown, *left])
    if gone:
        log.info("orphans removed", extra={"files": gone})
    return gone


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
    """Outputs of attempts that are over go with their rows, but for those of a result, and those of a failure
    that nothing came after: they are all there is of it."""
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
    for folder in (settings.MEDIA_DIR, settings.RESULTS_DIR):
        yield from (path for path in Path(folder).rglob("*") if path.is_file())


def _rows() -> dict[Path, Kept]:
    results = Path(settings.RESULTS_DIR)
    known = {upload.path: Kept(upload.size_bytes, upload.sha256) for upload in Upload.objects.iterator()}
    for model in (ResultFile, StagedOutput):
        for path, size, digest in model.objects.values_list("path", "size_bytes", "sha256").iterator():
            known[results / path] = Kept(size, digest)
    return known


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
