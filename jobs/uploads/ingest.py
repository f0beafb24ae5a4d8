"""Upload ingest: stream to disk, hash on the way, store under a generated name."""

import hashlib
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from gpu_worker.shared.disk import is_disk_full
from gpu_worker.shared.units import GIGABYTE, MEGABYTE
from jobs import storage
from jobs.models import IncomingUpload, Session, Upload

MAX_NAME = 255
MAX_FOLDER = 1000


class UploadRefused(ValueError):
    """The upload was rejected; `code` and the message say why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class OtherContent(Exception):
    """The content does not match the announced digest."""


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Write every uploaded file to disk as it arrives and compute its SHA-256 on the way."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        # Django ends the temporary file's name with the extension, and a sentence with a dot in it has a long one.
        super().new_file(field_name, "file", *args, **kwargs)
        self.file.name = self.file_name = file_name
        self.digest = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.digest.update(raw_data)
        super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> TemporaryUploadedFile:
        file = cast(TemporaryUploadedFile, super().file_complete(file_size))
        file.sha256 = self.digest.hexdigest()  # type: ignore[attr-defined]  # read by sha256_of
        return file


def sha256_of(file: "UploadedFile[bytes]") -> str:
    """Return the digest that HashingUploadHandler computed for a file."""
    return cast(str, getattr(file, "sha256"))  # noqa: B009 - the attribute is ours, not Django's


def receive(session: Session, file: "UploadedFile[bytes]") -> Upload:
    """Store an uploaded file in the session. Raises UploadRefused without leaving anything behind."""
    path = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
    return _keep(session, path, display_name(file.name or ""), sha256_of(file))


def receive_path(session: Session, source: Path, relative: str = "", sha256: str = "") -> Upload:
    """Store a copy of a local file in the session, as `relative` if given.

    Raises UploadRefused, OSError, and OtherContent if the copy does not match a given digest; then nothing is stored.
    """
    draft = Path(settings.TEMP_DIR) / f"copy-{uuid.uuid4().hex}"
    try:
        shutil.copyfile(source, draft)
        with draft.open("rb") as copy:
            digest = hashlib.file_digest(copy, "sha256").hexdigest()
        if sha256 and digest != sha256:
            raise OtherContent
        return _keep(session, draft, relative or source.name, digest)
    finally:
        draft.unlink(missing_ok=True)


def display_name(name: str) -> str:
    """Return the name to show: the last part of the path, without control characters, at most 255."""
    last = PurePath(name.replace("\\", "/")).name
    shown = _printable(last) or "unnamed"
    if len(shown) <= MAX_NAME:
        return shown
    suffix = PurePath(shown).suffix[:20]
    return shown[: MAX_NAME - len(suffix)] + suffix


def _printable(text: str) -> str:
    return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs")).strip()


def folder_name(path: str) -> str:
    """Return the folders of a relative path, joined by /, without parent references."""
    parts = [_printable(part) for part in path.replace("\\", "/").split("/")[:-1]]
    return "/".join(part for part in parts if part not in ("", ".", ".."))[-MAX_FOLDER:].lstrip("/")


def check_size(size: int) -> None:
    """Raise UploadRefused for a file that is empty or too large."""
    if size == 0:
        raise UploadRefused("UPLOAD_EMPTY", "This file is empty.")
    if size > settings.MAX_UPLOAD_MB * MEGABYTE:
        raise UploadRefused("UPLOAD_TOO_LARGE", f"This file is larger than {settings.MAX_UPLOAD_MB} MB.")


def check_disk(wanted: int = 0) -> None:
    """Raise UploadRefused unless enough disk space remains free after `wanted` more bytes."""
    if shutil.disk_usage(settings.MEDIA_DIR).free - wanted < settings.MIN_FREE_DISK_MB * MEGABYTE:
        raise disk_full()


def disk_full() -> UploadRefused:
    """Return the error for a full disk."""
    return UploadRefused("DISK_FULL", "The controller's disk is full. Free up space, then upload again.")


@contextmanager
def within_quota(owner_id: int) -> Iterator[None]:
    """Run uploads of a user in one transaction that serializes changes to their storage use.

    Raises UploadRefused if the quota would be exceeded; then nothing is written.
    """
    with transaction.atomic():
        if not settings.USER_QUOTA_GB:
            yield
            return
        # Not the key: rows that only name their owner need not wait.
        User.objects.select_for_update(no_key=True).get(pk=owner_id)
        before = _taken(owner_id)
        yield
        if (after := _taken(owner_id)) > before:
            _check_taken(after)


def check_quota(owner_id: int, size: int) -> None:
    """Raise UploadRefused if a file of `size` bytes would exceed the user's quota."""
    if settings.USER_QUOTA_GB:
        _check_taken(_taken(owner_id) + size)


def adopt(upload: Upload, path: Path, note: Callable[[Upload], None] = lambda upload: None) -> Upload:
    """Store an unsaved upload whose content is at `path`; the caller deletes that path. Raises UploadRefused.

    Content that the same user already has, in any session, is stored only once. `note` writes in the same
    transaction.
    """
    owned = Upload.objects.filter(session__owner_id=upload.session.owner_id)
    twin = owned.filter(sha256=upload.sha256, size_bytes=upload.size_bytes).first()
    try:
        if twin and twin.path.exists():
            storage.share(twin.path, upload.path)
        else:
            storage.keep(path, upload.path)
        with within_quota(upload.session.owner_id):
            upload.save(force_insert=True)
            upload.session.touch()
            note(upload)
    except BaseException as failure:
        upload.path.unlink(missing_ok=True)
        if is_disk_full(failure):
            raise disk_full() from failure
        raise
    return upload


def _keep(session: Session, path: Path, relative: str, sha256: str) -> Upload:
    size = path.stat().st_size
    check_size(size)
    check_disk()
    name, folder = display_name(relative), folder_name(relative)
    upload = Upload(session=session, name=name, folder=folder, size_bytes=size, sha256=sha256)
    return adopt(upload, path)


def _taken(owner_id: int) -> int:
    """Return the bytes used by a user's files, including unfinished uploads at full size.

    Unfinished uploads count in full, since their space is reserved. Items in Trash do not count, so that deleting
    frees up space.
    """
    kept = Upload.objects.filter(session__owner=owner_id, session__deleted_at=None, deleted_at=None)
    contents = kept.order_by().values("sha256", "size_bytes").distinct()
    coming = IncomingUpload.objects.filter(session__owner=owner_id, session__deleted_at=None)
    unfinished = coming.filter(expires_at__gt=timezone.now(), offset_bytes__lt=F("size_bytes"))
    return sum(some.aggregate(bytes=Sum("size_bytes"))["bytes"] or 0 for some in (contents, unfinished))


def _check_taken(taken: int) -> None:
    if taken > settings.USER_QUOTA_GB * GIGABYTE:
        text = f"This upload would exceed your storage quota of {settings.USER_QUOTA_GB:g} GB."
        raise UploadRefused("QUOTA_FULL", f"{text} Delete some files first.")
