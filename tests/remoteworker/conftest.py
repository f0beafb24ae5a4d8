"""What several tests of the fleet ask for."""

from datetime import datetime

import pytest
from django.utils import timezone

from remoteworker import clock


class Hours:
    """The database's clock, set by the test."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    mine = Hours()
    monkeypatch.setattr(clock, "now", mine.now)
    return mine
