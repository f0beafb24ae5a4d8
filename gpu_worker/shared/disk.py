"""What a full disk looks like, to whoever writes to it: files, SQLite, PostgreSQL."""

from __future__ import annotations

import errno
import sqlite3

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
POSTGRESQL_DISK_FULL = "53100"  # its SQLSTATE


def is_disk_full(failure: BaseException | None) -> bool:
    """Whether a failure, or what caused it, is that there is no room left on a disk."""
    while failure is not None:
        if (
            (isinstance(failure, OSError) and failure.errno in DISK_FULL)
            or getattr(failure, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
            or getattr(failure, "sqlstate", None) == POSTGRESQL_DISK_FULL
        ):
            return True
        failure = failure.__cause__
    return False
