"""The clock that all processes share, the database's: hosts may disagree about the time."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """Return the database's time. SQLite has none of its own: it is this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # now() would stand still in a transaction
        at: datetime = cursor.fetchone()[0]
    return at
