"""Divides a recording into windows of at most 30 s, the input size of the encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from gpu_worker.sound import SAMPLE_RATE, Span

WINDOW_SECONDS = 30.0  # Whisper's own window
LONGEST_SILENCE = 2.0  # seconds inside a window; longer ones invite invented text
PADDING = 0.2  # seconds around speech: voice detection clips soft beginnings and endings
EARLIEST_CUT = 20.0  # seconds of speech without a pause before the quietest point is looked for
HUSH = SAMPLE_RATE // 10  # samples over which loudness is averaged to find it


def pack(speech: Sequence[Span], duration: float, quietest: Callable[[Span], float]) -> list[Span]:
    """Return windows that contain all speech: at most 30 s long, without silence over 2 s, split at the
    longest pause or, if there is none, at `quietest(span)`, a point inside the given span."""
    rest = _merge(speech, duration)
    windows = []
    while rest:
        head = rest[0]
        if head.end - head.start > WINDOW_SECONDS:
            cut = quietest(Span(head.start + EARLIEST_CUT, head.start + WINDOW_SECONDS))
            windows.append(Span(head.start, cut))
            rest[0] = Span(cut, head.end)
            continue
        taken = _fitting(rest)
        windows.append(Span(head.start, rest[taken - 1].end))
        rest = rest[taken:]
    return windows


def quietest_point(samples: NDArray[np.float32], span: Span) -> float:
    """Return the middle of the quietest tenth of a second in `span`, in seconds."""
    import numpy as np

    first = int(span.start * SAMPLE_RATE)
    piece = np.asarray(samples[first : int(span.end * SAMPLE_RATE)])
    frames = piece[: len(piece) // HUSH * HUSH].reshape(-1, HUSH)
    if not len(frames):
        return span.end
    return (first + (int(np.square(frames).sum(axis=1).argmin()) + 0.5) * HUSH) / SAMPLE_RATE


def _merge(speech: Sequence[Span], duration: float) -> list[Span]:
    """Pad the spans and merge those that touch."""
    merged: list[Span] = []
    for start, end in speech:
        padded = Span(max(0.0, start - PADDING), min(duration, end + PADDING))
        if merged and padded.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(padded.end, merged[-1].end))
        else:
            merged.append(padded)
    return merged


def _fitting(spans: Sequence[Span]) -> int:
    """Return how many of the first spans fit into one window."""
    start = spans[0].start
    count = 1
    for before, after in pairwise(spans):
        if after.start - before.end > LONGEST_SILENCE:
            return count
        if after.end - start > WINDOW_SECONDS:
            return _longest_pause(spans[: count + 1])
        count += 1
    return count


def _longest_pause(spans: Sequence[Span]) -> int:
    """Return the number of spans before the longest pause, preferring the later half of the window,
    because many short windows cost more than few long ones."""
    start = spans[0].start
    pauses = [(after.start - before.end, i + 1) for i, (before, after) in enumerate(pairwise(spans))]
    late = [pause for pause in pauses if spans[pause[1] - 1].end - start > WINDOW_SECONDS / 2]
    return max(late or pauses)[1]
