"""Limits the memory that long-running processes retain."""

import ctypes

M_ARENA_MAX = -8  # of glibc's malloc.h
ARENAS = 2


def share_heaps() -> None:
    """Limit the number of malloc heaps. Call once, before starting threads.

    glibc gives each thread its own heap, which retains the maximum it ever used. Two heaps are enough for threads that
    take turns at the interpreter: docs/decisions/0029-memory-kept-after-peaks.md has the figures.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # macOS and musl have none, and need none
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
