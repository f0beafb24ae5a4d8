"""Processes that run for months stay as small as what they hold."""

import ctypes

M_ARENA_MAX = -8  # of glibc's malloc.h
ARENAS = 2


def share_heaps() -> None:
    """Call once, before the threads of work start.

    glibc gives each thread a heap of its own, and each keeps room for the most it ever held. Two are enough for
    threads that take turns at the interpreter: docs/decisions/0029-memory-kept-after-peaks.md has the figures.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # macOS and musl have none, and need none
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
