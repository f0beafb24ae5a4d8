"""Cutting speech into windows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.asr.windows import LONGEST_SILENCE, PADDING, WINDOW_SECONDS, pack, quietest_point
from gpu_worker.sound import SAMPLE_RATE, Span

DURATION = 3600.0


@st.composite
def speech(draw: st.DrawFn) -> list[Span]:
    """Stretches of speech in order, with pauses between."""
    steps = draw(st.lists(st.tuples(st.floats(0.05, 8), st.floats(0.25, 90)), max_size=30))
    spans, at = [], 0.0
    for pause, length in steps:
        spans.append(Span(at + pause, at + pause + length))
        at += pause + length
    return spans


def middle(span: Span) -> float:
    return (span.start + span.end) / 2


@given(speech())
def test_windows_hold_all_speech_and_no_long_silence(spans: list[Span]) -> None:
    windows = pack(spans, DURATION, middle)
    assert all(0 < window.end - window.start <= WINDOW_SECONDS + 1e-6 for window in windows)
    assert all(before.end <= after.start for before, after in pairwise(windows))
    for span in spans:
        held = sum(max(0.0, min(span.end, w.end) - max(span.start, w.start)) for w in windows)
        assert abs(held - (span.end - span.start)) < 1e-6
    for window in windows:
        inside = [span for span in spans if span.end > window.start and span.start < window.end]
        assert all(b.start - a.end <= LONGEST_SILENCE + 2 * PADDING + 1e-6 for a, b in pairwise(inside))
        assert inside


def test_without_speech_there_is_no_window() -> None:
    assert pack([], DURATION, middle) == []


def test_the_longest_late_pause_is_the_cut() -> None:
    spans = [Span(0, 9), Span(9.5, 18), Span(19.5, 25), Span(25.6, 29), Span(29.6, 35)]
    assert [(round(w.start, 1), round(w.end, 1)) for w in pack(spans, 35, middle)] == [(0, 18.2), (19.3, 35)]


def test_speech_without_a_pause_is_cut_where_it_is_quietest() -> None:
    samples = np.ones(40 * SAMPLE_RATE, dtype=np.float32)
    samples[24 * SAMPLE_RATE : int(24.2 * SAMPLE_RATE)] = 0.01
    windows = pack([Span(0, 40)], 40, lambda span: quietest_point(samples, span))
    assert len(windows) == 2
    assert 24 <= windows[0].end <= 24.2
    assert windows[1] == Span(windows[0].end, 40)
