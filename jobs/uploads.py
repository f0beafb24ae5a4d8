"""Files coming in: streamed to disk, hashed on the way, kept under a generated name."""

import errno
import hashlib
import shutil
import unicodedata
import uuid
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction

from jobs import storage
from jobs.models import Session, Upload

MAX_NAME = 255
MAX_FOLDER = 1000


class UploadRefused(ValueError):
    """This file cannot be taken; `code` and the message say why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


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
    """Keep an uploaded file in the session. Raises UploadRefused; a refused file leaves nothing behind."""
    path = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
    return _keep(session, path, display_name(file.name or ""), sha256_of(file))


def receive_path(session: Session, source: Path) -> Upload:
    """Keep a copy of a file of this machine in the session. Raises UploadRefused, OSError."""
    draft = Path(settings.TEMP_DIR) / f"copy-{uuid.uuid4().hex}"
    try:
        shutil.copyfile(source, draft)
        with draft.open("rb") as copy:
            digest = hashlib.file_digest(copy, "sha256").hexdigest()
        return _keep(session, draft, display_name(source.name), digest)
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
    """Return the folders of a relative path as people wrote them, joined by /; none leads upwards."""
    parts = [_printable(part) for part in path.replace("\\", "/").split("/")[:-1]]
    return "/".join(part for part in parts if part not in ("", ".", ".."))[-MAX_FOLDER:].lstrip("/")


def check_size(size: int) -> None:
    """Raise UploadRefused for a file that is empty or larger than the installation takes."""
    if size == 0:
        raise UploadRefused("UPLOAD_EMPTY", "This file is empty. Choose the file again.")
    if size > settings.MAX_UPLOAD_MB * 1_000_000:
        raise UploadRefused("UPLOAD_TOO_LARGE", f"This file is larger than {settings.MAX_UPLOAD_MB} MB.")


def check_disk(wanted: int = 0) -> None:
    """Raise UploadRefused unless the mark of free disk stays free with `wanted` bytes more."""
    if shutil.disk_usage(settings.MEDIA_DIR).free - wanted < settings.MIN_FREE_DISK_MB * 1_000_000:
        raise disk_full()


def disk_full() -> UploadRefused:
    """What to tell whoever's bytes do not fit."""
    return UploadRefused("DISK_FULL", "The controller's disk is full. Free space on it, then upload again.")


def adopt(upload: Upload, path: Path, note: Callable[[Upload], None] = lambda upload: None) -> Upload:
    """Keep an unsaved upload whose bytes lie at `path`; that name is its owner's to delete. Raises UploadRefused.

    Bytes that the same person has already, in any session, are not stored a second time. `note` writes in the same
    transaction.
    """
    owned = Upload.objects.filter(session__owner_id=upload.session.owner_id)
    twin = owned.filter(sha256=upload.sha256, size_bytes=upload.size_bytes).first()
    try:
        if twin and twin.path.exists():
            storage.share(twin.path, upload.path)
        else:
            storage.keep(path, upload.path)
    except OSError as failure:
        if failure.errno != errno.ENOSPC:
            raise
        raise disk_full() from failure
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
            upload.session.touch()
            note(upload)
    except BaseException:
        upload.path.unlink(missing_ok=True)
        raise
    return upload


def _keep(session: Session, path: Path, name: str, sha256: str) -> Upload:
    size = path.stat().st_size
    check_size(size)
    check_disk()
    return adopt(Upload(session=session, name=name, size_bytes=size, sha256=sha256), path)
