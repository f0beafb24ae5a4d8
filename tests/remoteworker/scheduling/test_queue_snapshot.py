"""The queue, put in order for many questions: the longer that takes, the longer the order is kept."""

from collections.abc import Callable
from itertools import count

import pytest

from jobs.models import Job
from jobs.statuses import Event
from remoteworker.models import Worker
from remoteworker.scheduling import queue_snapshot


class Clock:
    """A clock that goes on by `pace` with every look at it."""

    def __init__(self, pace: float) -> None:
        self.looks = (1000.0 + pace * number for number in count())

    def __call__(self) -> float:
        return next(self.looks)


def ahead() -> int:
    return len(queue_snapshot.take(Worker.Kind.LOCAL).places)


def test_what_is_put_in_order_at_once_is_put_in_order_for_every_question(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_snapshot, "monotonic", Clock(queue_snapshot.LONG_SECONDS / 2))
    job_of()
    assert ahead() == 1
    job_of()
    assert ahead() == 2


def test_what_takes_long_is_kept_for_ten_times_as_long(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_snapshot, "monotonic", Clock(1.0))  # a second, from one look to the next
    job_of()
    assert ahead() == 1
    job_of()
    assert [ahead() for _second in range(11)] == [1] * 10 + [2]


def test_the_stamp_of_a_kept_queue_stays_until_it_is_put_in_order_again(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_snapshot, "monotonic", Clock(1.0))
    job = job_of()
    ahead()
    before = queue_snapshot.stamp()
    assert job.inputs.get().move_to(Event.CANCELED, actor="anna")
    assert queue_snapshot.stamp() == before
    queue_snapshot.forget()
    assert queue_snapshot.stamp() != before
