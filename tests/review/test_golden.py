"""What Python and JavaScript must agree on."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.edits import operations
from review.edits.fractional_index import DIGITS, NoRoom, between, spread
from tests.review.golden import FILES, FOLDER, expand

CASES = [(name, case) for name in FILES for case in json.loads((FOLDER / name).read_text())]


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{name} {case['name']}" for name, case in CASES])
def test_golden_case(file: str, case: dict[str, Any]) -> None:
    _cases, answer = FILES[file]
    expected = {part: case[part] for part in ("output", "patch", "error") if part in case}
    assert json.loads(json.dumps(answer(case))) == expand(expected)


def test_every_input_has_its_case() -> None:
    for name, (cases, _answer) in FILES.items():
        assert [case["name"] for case in cases] == [case["name"] for file, case in CASES if file == name]


def test_every_file_is_read_and_every_kind_of_edit_has_a_case_that_changes_something() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(FILES)
    kinds = {case["edit"]["kind"] for name, case in CASES if name == "edits.json" and "patch" in case}
    assert kinds == set(operations.MAKERS)


@given(st.lists(st.integers(0, 10_000), max_size=60), st.integers(0, 50))
def test_there_is_always_a_rank_in_between(places: list[int], count: int) -> None:
    ranks = spread(count)
    for place in places:
        at = place % (len(ranks) + 1)
        low = ranks[at - 1] if at else None
        ranks.insert(at, between(low, ranks[at] if at < len(ranks) else None))
    assert ranks == sorted(set(ranks))
    assert all(not rank.endswith("0") and set(rank) <= set(DIGITS) for rank in ranks)


def test_a_thousand_splits_at_one_place_have_room() -> None:
    low, high = "h", "i"
    for _ in range(2000):
        low = between(low, high)
    assert len(low) < 500
    with pytest.raises(NoRoom):
        for _ in range(10_000):
            high = between(low, high)


def test_ranks_are_spread_evenly_and_of_one_width() -> None:
    ranks = spread(12_000)
    assert ranks == sorted(set(ranks))
    assert {len(rank) for rank in ranks} == {4}
    chosen = random.Random(1).sample(range(11_999), 50)
    assert all(len(between(ranks[n], ranks[n + 1])) <= 5 for n in chosen)
