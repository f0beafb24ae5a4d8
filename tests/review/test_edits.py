"""Edits as pure functions: whatever is done can be undone, exactly."""

import copy
import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from review.edits import operations, patches, word_timing
from review.edits.edit_validation import InvalidEdit
from review.edits.tokens import SPACE, squeezed, tokens
from tests.review import golden_edits as known
from tests.review.memory import MemoryState

TEXTS = st.text("abc ,.—我们 \n\U0001f389של\u3000", max_size=30)
NUMBER = st.integers(0, 40)
KINDS = sorted(operations.MAKERS)


@st.composite
def drawn_edit(draw: st.DrawFn, state: MemoryState) -> dict[str, Any]:
    """Any edit of the state, most of them sensible."""
    keys = [row["key"] for row in state.all_segments()] or [known.UNKNOWN]
    people = [row["key"] for row in state.speakers()]
    start = draw(NUMBER)
    fields = {
        "segment": st.sampled_from(keys),
        "after": st.sampled_from([None, *keys]),
        "speaker": st.sampled_from([None, *people]),
        "from": st.sampled_from(people),
        "into": st.sampled_from(people),
        "text": TEXTS,
        "name": st.sampled_from(["Anna", "Jonas", ""]),
        "start": st.just(start),
        "end": NUMBER.map(lambda more: start + more / 7),
        "at": NUMBER,
        "newKey": st.uuids().map(str),
        "newKeys": st.lists(st.uuids().map(str), min_size=2, max_size=2),
        "with": st.sampled_from(["previous", "next"]),
        "scope": st.sampled_from(["one", "run", "everywhere"]),
        "on": st.booleans(),
        "flag": st.sampled_from(["overlap", "low_confidence"]),
        "colour": st.integers(1, 9),
        "hotkey": st.sampled_from([None, *range(1, 10)]),
        "status": st.sampled_from(["new", "done"]),
        "reviewer": st.sampled_from([None, "anna"]),
        "segments": st.just("all"),
    }
    edit = {name: draw(values) for name, values in fields.items()}
    kind = draw(st.sampled_from(KINDS))
    if kind == "SplitThreeWay":
        edit |= {"from": draw(NUMBER), "to": draw(NUMBER)}
    return {"kind": kind, **edit}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_edits_undone_give_the_machines_transcript_back(data: st.DataObject) -> None:
    state = MemoryState(known.state())
    machine = copy.deepcopy(state.wire())
    done: list[patches.Patch] = []
    for _ in range(data.draw(st.integers(1, 12))):
        before = copy.deepcopy(state.wire())
        try:
            patch = operations.apply(state, data.draw(drawn_edit(state)))
        except InvalidEdit:
            assert state.wire() == before
            continue
        state.absorb(patch)
        check_state(state)
        undone = MemoryState(state.wire())
        undone.absorb(patches.inverse(patch))
        assert undone.wire() == before
        done.append(patch)
    at_once = MemoryState(machine)
    at_once.absorb(patches.compose(done))
    assert at_once.wire() == state.wire()
    at_once.absorb(patches.inverse(patches.compose(done)))
    assert at_once.wire() == machine
    for patch in reversed(done):
        state.absorb(patches.inverse(patch))
    assert state.wire() == machine


def check_state(state: MemoryState) -> None:
    """What must be true whatever people do."""
    rows = state.all_segments()
    assert len({row["rank"] for row in rows}) == len(rows)
    hotkeys = [row["hotkey"] for row in state.speakers() if row["hotkey"]]
    assert len(set(hotkeys)) == len(hotkeys)
    for row in rows:
        assert 0 <= row["start"] <= row["end"] <= 60
        assert row["speaker"] is None or not state.speaker_rows[row["speaker"]]["removed"]
        assert not row["words"] or squeezed(word_timing.text_of(row["words"])) == squeezed(row["text"])
        assert all(word.start <= word.end for word in row["words"])


@given(TEXTS, TEXTS, st.floats(0, 10), st.floats(0, 10))
def test_aligned_words_are_the_new_text_in_time(old: str, new: str, start: float, length: float) -> None:
    end = start + length
    words = word_timing.align(word_timing.align([], old, start, end), new, start, end)
    assert [word.text for word in words] == [token.text for token in tokens(new)]
    assert all(start - 0.001 <= word.start <= word.end <= end + 0.001 for word in words)
    assert word_timing.text_of(words) == word_timing.text_of(
        word_timing.align([], word_timing.text_of(words), 0, 1)
    )
    if old == new:
        assert words == word_timing.align([], old, start, end)


@given(TEXTS, st.integers(0, 30), TEXTS)
def test_a_split_loses_no_word(text: str, at: int, machine: str) -> None:
    row = {**known.segment(known.ONE, "i", 1.0, ""), "text": text, "end": 9.0, "machineText": machine}
    row["words"] = word_timing.align([], text, 1.0, 9.0)
    try:
        patch = operations.apply(
            MemoryState(known.state(row)),
            {"kind": "Split", "segment": known.ONE, "at": at, "newKey": str(uuid.uuid4())},
        )
    except InvalidEdit:
        assert not squeezed(text[:at]) or not squeezed(text[at:])
        return
    state = MemoryState(known.state(row))
    state.absorb(patch)
    first, second = state.all_segments()
    for name in ("text", "machineText"):
        assert squeezed(first[name] + second[name]) == squeezed(row[name])
        assert not SPACE.match(second[name])
    assert 1.0 <= first["end"] == second["start"] <= 9.0
    assert squeezed(word_timing.text_of(first["words"] + second["words"])) == squeezed(text)


def test_a_paragraph_of_equal_words_is_compared_in_no_time() -> None:
    words = word_timing.align([], "la " * 50_000, 0, 60)
    assert len(word_timing.align(words, "lo " + "la " * 50_000 + "lo", 0, 60)) == 50_002
