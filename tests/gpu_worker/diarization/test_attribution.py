"""Words given to speakers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.diarization.attribution import LONGEST_LETTER, LONGEST_WORD, attribute
from gpu_worker.diarization.diarizer import Diarization
from gpu_worker.shared.transcript import Segment, Turn, Word


def said(text: str, start: float, end: float) -> Word:
    return Word(word=f" {text}", start=start, end=end, probability=0.9)


def segment(*words: Word, start: float = 0.0, end: float = 0.0, text: str = "") -> Segment:
    return Segment(
        id=7,
        start=words[0]["start"] if words else start,
        end=words[-1]["end"] if words else end,
        text=text or "".join(word["word"] for word in words),
        words=[*words],
        avg_logprob=-0.3,
    )


def heard(
    *turns: tuple[float, float, str], exclusive: list[tuple[float, float, str]] | None = None
) -> Diarization:
    def rows(spans: object) -> list[Turn]:
        return [Turn(start=a, end=b, speaker=who) for a, b, who in spans]  # type: ignore[attr-defined]

    return Diarization(rows(turns), rows(exclusive or turns), "test")


def lines(parts: list[Segment]) -> list[tuple[str | None, str]]:
    return [(part.get("speaker"), part["text"]) for part in parts]


# Which speaker ------------------------------------------------------------------------------------
def test_a_segment_is_split_where_the_speaker_changes() -> None:
    row = segment(
        said("How", 0, 0.3), said("so?", 0.3, 0.7), said("Well,", 1.1, 1.4), said("look.", 1.4, 1.9)
    )
    parts = attribute([row], heard((0, 0.9, "A"), (1.0, 2, "B")))
    assert lines(parts) == [("A", " How so?"), ("B", " Well, look.")]
    assert [(part["id"], part["start"], part["end"]) for part in parts] == [(0, 0, 0.7), (1, 1.1, 1.9)]
    assert [part["avg_logprob"] for part in parts] == [-0.3, -0.3]
    assert [[word["speaker"] for word in part["words"]] for part in parts] == [["A", "A"], ["B", "B"]]


def test_a_word_goes_to_the_turn_that_covers_most_of_it() -> None:
    parts = attribute([segment(said("mostly", 0.8, 1.4))], heard((0, 1, "A"), (1, 2, "B")))
    assert lines(parts) == [("B", " mostly")]


@pytest.mark.parametrize(("start", "speaker"), [(1.3, "A"), (2.0, None), (2.9, "B")])
def test_a_word_between_turns_goes_to_the_nearest_one_in_reach(start: float, speaker: str | None) -> None:
    parts = attribute([segment(said("um", start, start + 0.3))], heard((0, 1, "A"), (3.4, 4, "B")))
    assert parts[0].get("speaker") == speaker


def test_words_far_from_every_turn_take_the_speaker_of_the_same_breath() -> None:
    breath = [said(str(i), 0.5 * i, 0.5 * i + 0.4) for i in range(8)]
    alone = said("hm", 9.0, 9.3)
    parts = attribute([segment(*breath, alone)], heard((0, 1, "A")))
    assert lines(parts) == [("A", " 0 1 2 3 4 5 6 7"), (None, " hm")]


def test_a_word_without_length_goes_to_the_turn_around_it() -> None:
    assert lines(attribute([segment(said("a", 1.5, 1.5))], heard((0, 1, "A"), (1, 2, "B")))) == [("B", " a")]


def test_the_pause_that_a_word_swallowed_is_cut_off_before_it_is_judged() -> None:
    row = segment(said("The", 0.2, 0.5), said("end.", 0.5, 9.0), said("Now", 9.0, 9.3))
    [first, second] = attribute([row], heard((0, 1, "A"), (3, 10, "B")))
    assert (first["speaker"], second["speaker"]) == ("A", "B")
    assert first["end"] == first["words"][1]["end"] == pytest.approx(0.5 + LONGEST_WORD + 4 * LONGEST_LETTER)
    [late] = attribute(
        [segment(said("So", 0.5, 9.0), said("now", 9.0, 9.3))], heard((0, 5, "A"), (8, 10, "B"))
    )
    assert (late["speaker"], late["start"]) == ("B", pytest.approx(9.0 - LONGEST_WORD - 2 * LONGEST_LETTER))


def test_a_single_word_inside_anothers_run_joins_it_unless_a_pause_sets_it_apart() -> None:
    turns = heard((0, 1, "A"), (1, 1.4, "B"), (1.4, 3, "A"))
    run = segment(said("we", 0.5, 1), said("turn", 1, 1.4), said("left", 1.4, 2))
    assert lines(attribute([run], turns)) == [("A", " we turn left")]
    thrown_in = segment(said("we", 0.3, 0.75), said("Right.", 1, 1.4), said("turn", 1.4, 2))
    assert [part["speaker"] for part in attribute([thrown_in], turns)] == ["A", "B", "A"]


def test_a_segment_without_words_goes_to_who_speaks_longest_in_it() -> None:
    turns = heard((0, 2, "A"), (2, 5, "B"), (5, 7, "A"))
    assert lines(attribute([segment(start=0, end=7, text=" Hm.")], turns)) == [("A", " Hm.")]
    assert attribute([segment(start=7.2, end=8, text=" Hm.")], turns)[0]["speaker"] == "A"


def test_where_nobody_was_told_apart_segments_stay_as_they_are() -> None:
    row = segment(said("Hello.", 0, 0.5))
    assert attribute([row], heard()) == [row | {"id": 0}]


def test_what_goes_in_is_not_changed() -> None:
    row = segment(said("Hello", 0, 0.5), said("there.", 0.5, 5))
    before = repr(row)
    attribute([row], heard((0, 0.5, "A"), (0.2, 5, "B")))
    assert repr(row) == before


# Overlap ------------------------------------------------------------------------------------------
def test_what_two_people_say_at_once_is_flagged() -> None:
    turns = heard((0, 2, "A"), (1, 3, "B"), exclusive=[(0, 1.5, "A"), (1.5, 3, "B")])
    row = segment(said("one", 0, 0.8), said("two", 0.9, 1.4), said("three", 2.2, 2.6))
    first, second = attribute([row], turns)
    assert [word.get("flags") for word in first["words"] + second["words"]] == [None, ["overlap"], None]
    assert (first["flags"], first["flag_scores"]) == (["overlap"], {"overlap": pytest.approx(0.286)})
    assert "flags" not in second


def test_turns_of_one_speaker_do_not_overlap_with_themselves() -> None:
    [part] = attribute([segment(said("a", 1, 1.2))], heard((0, 2, "A"), (1, 3, "A")))
    assert "flags" not in part


def test_a_segment_without_words_is_flagged_by_its_share() -> None:
    [part] = attribute([segment(start=0, end=4, text=" a")], heard((0, 4, "A"), (3, 5, "B")))
    assert part["flag_scores"] == {"overlap": 0.25}


# Whatever comes ------------------------------------------------------------------------------------
times = st.floats(0, 60).map(lambda seconds: round(seconds, 3))


@st.composite
def flows(draw: st.DrawFn) -> list[Segment]:
    """Segments in order, words in order, with pauses, absurd lengths and none at all."""
    rows, at = [], 0.0
    for length in draw(st.lists(st.integers(0, 6), max_size=6)):
        words = []
        for _ in range(length):
            start = at + draw(st.sampled_from([0, 0, 0.1, 0.3, 2]))
            at = start + draw(st.sampled_from([0, 0.1, 0.3, 0.6, 8]))
            words.append(said(draw(st.sampled_from(["a", "bb", "ccc"])), round(start, 3), round(at, 3)))
        rows.append(segment(*words, start=round(at, 3), end=round(at + 1, 3), text="" if words else " none"))
    return rows


turn_lists = st.lists(st.tuples(times, times, st.sampled_from("ABC")), max_size=12)


@given(flows(), turn_lists, turn_lists)
def test_nothing_is_lost_moved_or_shared(
    rows: list[Segment], regular: list[tuple[float, float, str]], exclusive: list[tuple[float, float, str]]
) -> None:
    parts = attribute(rows, heard(*regular, exclusive=exclusive))
    before = [word for row in rows for word in row["words"]]
    after = [word for part in parts for word in part["words"]]
    assert [word["word"] for word in after] == [word["word"] for word in before]
    assert "".join(part["text"] for part in parts) == "".join(row["text"] for row in rows)
    assert [part["id"] for part in parts] == [*range(len(parts))]
    for old, new in zip(before, after, strict=True):
        assert old["start"] <= new["start"] <= new["end"] <= old["end"]
    for part in parts:
        assert all(word.get("speaker") == part.get("speaker") for word in part["words"])
        assert all(part["start"] <= word["start"] <= word["end"] <= part["end"] for word in part["words"])
    assert all(one["start"] <= two["start"] for one, two in pairwise(parts))
    assert {part["speaker"] for part in parts if "speaker" in part} <= {
        who for *_, who in exclusive or regular
    }
