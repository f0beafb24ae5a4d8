"""The database's clock, shared by all processes because the clocks of hosts may differ."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """Return the database's time; with SQLite, the time of this machine."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # now() would stand still in a transaction
        at: datetime = cursor.fetchone()[0]
    return at
