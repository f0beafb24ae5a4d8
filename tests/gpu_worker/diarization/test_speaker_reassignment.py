"""Isolated turns reassigned to the nearest speaker, with hand-made embeddings."""

from __future__ import annotations

import numpy as np

from gpu_worker.diarization.speaker_reassignment import MARGIN, SHORTEST, isolated_turns, reassigned
from gpu_worker.shared.transcript import Turn
from gpu_worker.sound import Span

SPEAKERS = np.eye(3, 8, dtype=np.float32)


def turn(start: float, end: float, speaker: str = "A") -> Turn:
    return Turn(start=start, end=end, speaker=speaker)


def test_turns_that_are_long_enough_and_alone_are_embedded_again() -> None:
    turns = [turn(0, 2), turn(3, 3 + SHORTEST / 2), turn(5, 8), turn(7, 9, "B"), turn(9, 11, "B")]
    assert isolated_turns(turns) == [Span(0, 2), Span(9, 11)]


def test_a_short_turn_inside_a_long_one_spoils_both() -> None:
    assert isolated_turns([turn(0, 10), turn(3, 5, "B"), turn(6, 8, "C")]) == []


def test_a_turn_goes_to_a_speaker_who_is_clearly_nearer() -> None:
    assert reassigned(SPEAKERS[[1, 2]], [0, 2], SPEAKERS) == [1, 2]


def test_a_turn_stays_where_the_difference_is_small() -> None:
    between = np.zeros((1, 8), dtype=np.float32)
    between[0, 0], between[0, 1] = 1.0, 1.0 + MARGIN / 2
    assert reassigned(between, [0], SPEAKERS) == [0]
    between[0, 1] = 2.0
    assert reassigned(between, [0], SPEAKERS) == [1]


def test_lengths_do_not_count() -> None:
    assert reassigned(SPEAKERS[[1]] * 100, [0], SPEAKERS * [[1], [0.01], [1]]) == [1]
