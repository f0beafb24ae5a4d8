"""Resumable uploads: received bytes are durable before they are acknowledged."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from gpu_worker.shared.disk import is_disk_full
from gpu_worker.shared.file_lock import locked, try_lock
from gpu_worker.shared.units import MEBIBYTE
from jobs.models import IncomingUpload, Session, Upload
from jobs.uploads import ingest
from jobs.uploads.ingest import UploadRefused

ACTIVE = timedelta(hours=1)  # who sent nothing for longer is not waited for when the disk is shared out
TOMBSTONES = timedelta(days=7)  # that long after its end a row still says that it has expired
AT_A_TIME = MEBIBYTE  # bytes held in memory at a time
PART_BYTES = 16 * MEBIBYTE  # of a longer piece: so much is on the disk for good before more is read
PATIENCE_SECONDS = 1.0  # whose connection broke a moment ago still keeps what has arrived


class Busy(Exception):
    """Another client is sending the same file."""


class Expired(Exception):
    """The upload has expired or was canceled and must be started again."""


class WrongOffset(Exception):
    """Upload-Offset does not match the number of bytes received."""


class ChecksumMismatch(Exception):
    """The chunk was damaged in transit; nothing was stored."""


class Digests:
    """Running digests of unfinished uploads in this process, so that a file is read only once."""

    LIMIT = 200

    def __init__(self) -> None:
        self._known: OrderedDict[Any, tuple[int, Any]] = OrderedDict()

    def at(self, incoming: IncomingUpload) -> Any:
        """Return the digest of the received bytes to continue with, None if unknown."""
        offset, digest = self._known.pop(incoming.pk, (0, hashlib.sha256()))
        return digest if offset == incoming.offset_bytes else None

    def note(self, incoming: IncomingUpload, digest: Any) -> None:
        """Remember the digest of the received bytes."""
        if digest is not None:
            self._known[incoming.pk] = (incoming.offset_bytes, digest)
        while len(self._known) > self.LIMIT:
            self._known.popitem(last=False)


_digests = Digests()


def begin(session: Session, name: str, path: str, size: int) -> IncomingUpload:
    """Create an upload and reserve `size` bytes. Raises UploadRefused before the first byte is sent."""
    ingest.check_size(size)
    active = IncomingUpload.objects.filter(touched_at__gt=timezone.now() - ACTIVE)
    ingest.check_disk(size + _missing(active))
    with ingest.within_quota(session.owner_id):
        return IncomingUpload.objects.create(
            session=session,
            name=ingest.display_name(name),
            folder=ingest.folder_name(path),
            size_bytes=size,
            expires_at=_end(),
        )


@dataclass(frozen=True)
class Piece:
    """A chunk: its offset, length, and expected digest, if given."""

    offset: int
    length: int
    body: BinaryIO
    algorithm: str = "sha256"
    digest: bytes | None = None

    def parts(self) -> "Iterator[Piece]":
        """Yield the parts that are stored at once. A chunk with a digest is stored completely or not at all."""
        step = PART_BYTES if self.digest is None else max(1, self.length)
        for start in range(0, max(1, self.length), step):
            yield replace(self, offset=self.offset + start, length=min(step, self.length - start))


def unfinished(session: Session) -> Iterable[IncomingUpload]:
    """Return the unfinished uploads of a session, oldest first."""
    # Not by what became of it: of an upload that is deleted for good the row knows nothing any more.
    return session.incoming.filter(expires_at__gt=timezone.now(), offset_bytes__lt=F("size_bytes"))


def append(incoming: IncomingUpload, piece: Piece) -> None:
    """Store the next chunk; after the last one, the file becomes an upload or a duplicate.

    Raises Busy, Expired, WrongOffset, ChecksumMismatch, UploadRefused; then `incoming` has the actual offset.
    """
    with _alone(incoming) as file:
        if piece.offset != incoming.offset_bytes:
            raise WrongOffset
        if incoming.is_whole:
            return
        if piece.offset + piece.length > incoming.size_bytes:
            raise UploadRefused("UPLOAD_TOO_LARGE", "More data was sent than the announced size of the file.")
        ingest.check_disk(piece.length)
        for part in piece.parts():
            if _keep(incoming, file, part) < part.length:
                return  # the sender is gone


def settle(incoming: IncomingUpload) -> None:
    """Update the offset of `incoming` after an interrupted sender has stored what arrived. Raises Expired."""
    if incoming.is_whole:
        return
    try:
        with _alone(incoming):
            pass
    except Busy:  # it continues: this much has been acknowledged
        incoming.refresh_from_db(fields=["offset_bytes"])


def give_up(incoming: IncomingUpload) -> None:
    """Cancel the upload and delete its bytes. Raises Busy, Expired."""
    with _alone(incoming):
        incoming.path.unlink(missing_ok=True)
        incoming.delete()


def keep_duplicate(incoming: IncomingUpload) -> Upload | None:
    """Turn a duplicate into an upload anyway; None if it is not a duplicate or the original no longer exists."""
    twin = incoming.duplicate_of
    if twin is None or not twin.path.exists():
        return None

    def note(upload: Upload) -> None:
        _advance(incoming, upload=upload, duplicate_of=None)

    return ingest.adopt(_upload_of(incoming, twin.sha256), twin.path, note)


def sweep() -> int:
    """Delete expired uploads from disk; return how many."""
    now = timezone.now()
    gone = 0
    for incoming in IncomingUpload.objects.filter(expires_at__lte=now):
        if incoming.path.exists():
            incoming.path.unlink(missing_ok=True)
            gone += 1
    IncomingUpload.objects.filter(expires_at__lte=now - TOMBSTONES).delete()
    return gone


def _keep(incoming: IncomingUpload, file: int, part: Piece) -> int:
    """Store a part of a chunk and acknowledge it; return the number of bytes. Raises like `_write`."""
    before = _digests.at(incoming)
    whole = before.copy() if before else None
    try:
        arrived = _write(file, part, whole)
    except ChecksumMismatch:
        _digests.note(incoming, before)
        raise
    if part.offset + arrived == incoming.size_bytes:
        _finish(incoming, whole)
    else:
        _advance(incoming, offset_bytes=part.offset + arrived)
        _digests.note(incoming, whole)
    return arrived


def _finish(incoming: IncomingUpload, digest: Any) -> None:
    """Turn a complete file into an upload, in one transaction with its row."""
    sha256 = digest.hexdigest() if digest else _digest_of(incoming.path)
    with _one_at_a_time(incoming.session):
        _adopt(incoming, sha256)
    incoming.path.unlink(missing_ok=True)


def _one_at_a_time(session: Session) -> AbstractContextManager[bool]:
    """Serialize completions in a session, so that of two identical files one is a duplicate."""
    return locked(Path(settings.INCOMING_DIR) / f"{session.pk.hex}.lock", wait=True)


def _adopt(incoming: IncomingUpload, sha256: str) -> None:
    here = incoming.session.uploads.filter(deleted_at=None)
    twin = here.filter(sha256=sha256, size_bytes=incoming.size_bytes).first()
    whole = {"offset_bytes": incoming.size_bytes}

    def note(upload: Upload) -> None:
        _advance(incoming, upload=upload, **whole)

    if twin:
        _advance(incoming, duplicate_of=twin, **whole)
    else:
        ingest.adopt(_upload_of(incoming, sha256), incoming.path, note)


def _upload_of(incoming: IncomingUpload, sha256: str) -> Upload:
    return Upload(
        session=incoming.session,
        name=incoming.name,
        folder=incoming.folder,
        size_bytes=incoming.size_bytes,
        sha256=sha256,
    )


@contextmanager
def _alone(incoming: IncomingUpload) -> Iterator[int]:
    """Open the received bytes as the only writer in any process, and truncate unacknowledged ones."""
    file = os.open(incoming.path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(file)
        current = IncomingUpload.objects.filter(pk=incoming.pk).first()
        if current is None or current.is_expired:
            incoming.path.unlink(missing_ok=True)
            raise Expired
        incoming.offset_bytes = current.offset_bytes
        if current.is_whole:
            incoming.path.unlink(missing_ok=True)
        else:
            _trim(incoming, file)
        yield file
    finally:
        os.close(file)


def _lock(file: int) -> None:
    """Raises Busy while another client keeps writing."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not try_lock(file):
        if time.monotonic() > until:
            raise Busy
        time.sleep(0.05)


def _trim(incoming: IncomingUpload, file: int) -> None:
    """Make file and row agree on the offset: the smaller of both."""
    size = os.fstat(file).st_size
    if size > incoming.offset_bytes:
        os.ftruncate(file, incoming.offset_bytes)
    elif size < incoming.offset_bytes:  # the disk has lost what it had promised to keep
        _advance(incoming, offset_bytes=size)


def _write(file: int, piece: Piece, whole: Any) -> int:
    """Durably write a chunk, completely or not at all, and hash it. Return the bytes written, fewer if the sender
    stopped.

    Raises ChecksumMismatch, UploadRefused if the disk is full, and OSError.
    """
    os.lseek(file, piece.offset, os.SEEK_SET)
    digest = hashlib.new(piece.algorithm) if piece.digest is not None else None
    arrived = 0
    try:
        while arrived < piece.length and (some := piece.body.read(min(AT_A_TIME, piece.length - arrived))):
            _write_all(file, some)
            arrived += len(some)
            for each in filter(None, (digest, whole)):
                each.update(some)
        os.fsync(file)
        _forget_cached(file, piece.offset, arrived)
        if digest and digest.digest() != piece.digest:
            raise ChecksumMismatch
    except BaseException as failure:
        os.ftruncate(file, piece.offset)
        if is_disk_full(failure):
            raise ingest.disk_full() from failure
        raise
    return arrived


def _forget_cached(file: int, offset: int, length: int) -> None:
    """Drop written bytes from the page cache: they are not read soon, and uploads are twice as fast with free
    memory. Not available on macOS."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file, offset, length, os.POSIX_FADV_DONTNEED)


def _write_all(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _advance(incoming: IncomingUpload, **changes: Any) -> None:
    changes |= {"touched_at": timezone.now(), "expires_at": _end()}
    with transaction.atomic():
        IncomingUpload.objects.filter(pk=incoming.pk).update(**changes)
    for name, value in changes.items():
        setattr(incoming, name, value)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _missing(some: Any) -> int:
    """Return how many bytes of these are still missing."""
    return some.aggregate(bytes=Sum(F("size_bytes") - F("offset_bytes")))["bytes"] or 0


def _end() -> Any:
    return timezone.now() + timedelta(seconds=settings.INCOMING_SECONDS)
