"""Who may go on: turns at the engine in order of arrival, and bytes that may lie ready ahead of it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.1


class FairSemaphore:
    """Places at the engine. First come, first served: a job of many files cannot starve the others."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, pause: Callable[[], None]) -> Iterator[None]:
        """Hold a place; `pause` is called while waiting and may raise to stop."""
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
        """Files that are ready and wait for a place."""
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
    """Bytes that all jobs together may hold ready ahead of their current files."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._changed = threading.Condition()

    def take(self, size: int, is_due: Callable[[], bool], pause: Callable[[], None]) -> None:
        """Wait for `size` bytes of room, or until the file is due now: that one never waits.

        `pause` is called meanwhile and may raise to stop.
        """
        while True:
            with self._changed:
                if size <= self._left or is_due():
                    self._left -= size
                    return
                self._changed.wait(LOOK_SECONDS)
            pause()

    def give(self, size: int) -> None:
        """Return what was taken; negative where more is held than was thought."""
        with self._changed:
            self._left += size
            self._changed.notify_all()
