"""Audio inside the worker: mono float32 samples at one rate, and spans of it."""

from typing import NamedTuple

SAMPLE_RATE = 16_000  # samples a second, of all decoded audio


class Span(NamedTuple):
    """From `start` to `end`, seconds of the file."""

    start: float
    end: float
