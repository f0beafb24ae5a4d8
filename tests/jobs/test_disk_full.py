"""What a full disk looks like, whoever meets it."""

import errno
import sqlite3
from pathlib import Path

import pytest
from django.db.utils import DatabaseError
from psycopg.errors import DiskFull, UniqueViolation

from gpu_worker.shared.disk import is_disk_full
from gpu_worker.shared.units import MEBIBYTE, MEGABYTE
from jobs.models import Session
from jobs.uploads.ingest import UploadRefused, receive_path


def full_database() -> sqlite3.Error:
    """What SQLite raises once there is no room for another page."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE notes (text)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        database.execute("INSERT INTO notes VALUES (zeroblob(100000))")
    database.close()
    return caught.value


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, "no space"),
        OSError(errno.EDQUOT, "quota"),
        OSError(errno.EFBIG, "too big"),
        full_database(),
        DiskFull(),
    ],
    ids=["space", "quota", "file size", "SQLite", "PostgreSQL"],
)
def test_a_full_disk_is_known_whoever_meets_it(failure: Exception) -> None:
    wrapped = DatabaseError("as Django says it")
    wrapped.__cause__ = failure
    assert is_disk_full(failure)
    assert is_disk_full(wrapped)


def test_other_failures_are_not_a_full_disk() -> None:
    others = [
        OSError(errno.EACCES, "no"),
        UniqueViolation(),
        sqlite3.OperationalError("locked"),
        ValueError(),
    ]
    assert not any(is_disk_full(one) for one in others)


def test_an_upload_whose_row_has_no_room_is_refused_and_leaves_nothing(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    source = tmp_path / "mill.wav"
    source.write_bytes(b"RIFF")

    def fail(_session: Session) -> None:
        raise DatabaseError("disk I/O") from full_database()

    monkeypatch.setattr(Session, "touch", fail)
    before = {path for path in Path(settings.MEDIA_DIR).rglob("*") if path.is_file()}  # type: ignore[attr-defined]
    with pytest.raises(UploadRefused) as refused:
        receive_path(session, source)
    assert refused.value.code == "DISK_FULL"
    after = {path for path in Path(settings.MEDIA_DIR).rglob("*") if path.is_file()}  # type: ignore[attr-defined]
    assert after == before
    assert not session.uploads.exists()


def test_a_megabyte_is_a_million_bytes_on_both_sides() -> None:
    assert (MEGABYTE, MEBIBYTE) == (10**6, 2**20)
