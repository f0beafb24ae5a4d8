"""Limits for decoding one recording: memory, time, tracks, and hours of audio."""

from __future__ import annotations

import resource
from contextlib import suppress

MAX_SECONDS = 12 * 3600  # of sound
MAX_STREAMS = 32
MAX_CHANNELS = 16
MIN_RATE, MAX_RATE = 1000, 384_000  # Hz
MAX_GAP_SECONDS = 3600  # a longer jump in the timestamps is damage, not silence
MIN_GAP_SECONDS = 0.1  # shorter ones are rounding
MAX_DAMAGED = 100_000  # packets in a row, half an hour of most sound: nobody's recording goes on after that

MAX_CHILD_SECONDS = 1800  # of the child's time; 12 h of audio decode in a few minutes
MAX_MEMORY = 2 * 1024**3  # bytes of its address space


def limit_process(written: int = 0) -> None:
    """Limit this process for good; it may write files of at most so many bytes.

    What maps much memory (numpy) must have been imported before.
    """
    # Imported before the limits: shared libraries map more address space than they use, and PyAV imports
    # its classes for subtitles at the first file.
    import av.subtitles.codeccontext
    import av.subtitles.stream  # noqa: F401

    with suppress(ValueError, OSError):  # macOS has the name without the limit
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CHILD_SECONDS, MAX_CHILD_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_nothing_more() -> None:
    """From here on the kernel refuses this process every file and every socket but those it has."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
