"""Files coming in: streamed to disk, hashed on the way, kept under a generated name."""

import errno
import hashlib
import shutil
import unicodedata
import uuid
from pathlib import Path, PurePath
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import transaction

from jobs import storage
from jobs.models import Session, Upload

MAX_NAME = 255


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
    shown = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cs")).strip() or "unnamed"
    if len(shown) <= MAX_NAME:
        return shown
    suffix = PurePath(shown).suffix[:20]
    return shown[: MAX_NAME - len(suffix)] + suffix


def _keep(session: Session, path: Path, name: str, sha256: str) -> Upload:
    size = path.stat().st_size
    if size == 0:
        raise UploadRefused("UPLOAD_EMPTY", "This file is empty. Choose the file again.")
    if size > settings.MAX_UPLOAD_MB * 1_000_000:
        raise UploadRefused("UPLOAD_TOO_LARGE", f"This file is larger than {settings.MAX_UPLOAD_MB} MB.")
    if shutil.disk_usage(settings.MEDIA_DIR).free < settings.MIN_FREE_DISK_MB * 1_000_000:
        raise UploadRefused(
            "DISK_FULL", "The controller's disk is full. Free space on it, then upload again."
        )
    upload = Upload(session=session, name=name, size_bytes=size, sha256=sha256)
    try:
        storage.keep(path, upload.path)
    except OSError as failure:
        if failure.errno != errno.ENOSPC:
            raise
        raise UploadRefused("DISK_FULL", "The controller's disk is full. Free space on it.") from failure
    try:
        with transaction.atomic():
            upload.save(force_insert=True)
            session.touch()
    except BaseException:
        upload.path.unlink(missing_ok=True)
        raise
    return upload
