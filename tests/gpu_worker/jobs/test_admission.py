"""Turns at the engine, and the room ahead of it."""

from __future__ import annotations

import threading

import pytest

from gpu_worker.errors import Canceled
from gpu_worker.jobs.admission import ByteBudget, FairSemaphore
from tests.gpu_worker.worker import wait_for


def go_on() -> None:
    """A job that is still wanted."""


def stop() -> None:
    """A job that is not."""
    raise Canceled


def test_turns_are_taken_in_order_of_arrival() -> None:
    engine_slots, order = FairSemaphore(1), []

    def work(number: int) -> None:
        with engine_slots.hold(go_on):
            order.append(number)

    with engine_slots.hold(go_on):
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=work, args=(number,)))
            threads[-1].start()
            wait_for(lambda expected=number + 1: engine_slots.waiting == expected)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_no_more_are_inside_than_there_are_places() -> None:
    engine_slots, inside, most = FairSemaphore(2), [], []
    both = threading.Barrier(2, timeout=30)

    def work() -> None:
        with engine_slots.hold(go_on):
            inside.append(1)
            both.wait()
            most.append(len(inside))
            both.wait()
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 2


def test_who_gives_up_waiting_lets_the_others_pass() -> None:
    engine_slots = FairSemaphore(1)
    with engine_slots.hold(go_on), pytest.raises(Canceled), engine_slots.hold(stop):
        pass
    with engine_slots.hold(go_on):
        assert engine_slots.waiting == 0


def test_a_failure_inside_gives_the_place_back() -> None:
    engine_slots = FairSemaphore(1)
    with pytest.raises(ZeroDivisionError), engine_slots.hold(go_on):
        raise ZeroDivisionError
    with engine_slots.hold(go_on):
        pass


def test_files_ahead_wait_for_room_and_the_one_that_is_due_does_not() -> None:
    budget = ByteBudget(10)
    budget.take(8, lambda: False, go_on)
    with pytest.raises(Canceled):
        budget.take(3, lambda: False, stop)
    budget.take(100, lambda: True, stop)
    budget.give(108)
    budget.take(10, lambda: False, stop)
