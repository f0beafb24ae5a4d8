"""Admission control: engine slots in order of arrival, and a byte budget for prepared files."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.1


class FairSemaphore:
    """A fair semaphore for engine slots: first come, first served, so that large jobs cannot starve others."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pause: Callable[[], None]) -> Iterator[None]:
        """Hold a slot; `pause` is called while waiting and may raise to stop."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        try:
            while not self._enter(ticket):
                pause()
        except BaseException:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()
            raise
        try:
            pause()
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Return the number of files waiting for a slot."""
        return len(self._queue)

    def _enter(self, ticket: object) -> bool:
        with self._changed:
            if not self._free or self._queue[0] is not ticket:
                self._changed.wait(LOOK_SECONDS)
            if not self._free or self._queue[0] is not ticket:
                return False
            self._free -= 1
            self._queue.popleft()
            self._changed.notify_all()
            return True


class ByteBudget:
    """A budget of bytes for prepared files of all jobs."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._changed = threading.Condition()

    def take(self, size: int, is_due: Callable[[], bool], pause: Callable[[], None]) -> None:
        """Wait for `size` bytes, or until the file is needed now: that one never waits.

        `pause` is called while waiting and may raise to stop.
        """
        while True:
            with self._changed:
                if size <= self._left or is_due():
                    self._left -= size
                    return
                self._changed.wait(LOOK_SECONDS)
            pause()

    def give(self, size: int) -> None:
        """Release bytes; negative if more is used than expected."""
        with self._changed:
            self._left += size
            self._changed.notify_all()
