"""Golden cases that both languages are held to: `python -m tests.review.golden` writes what Python answers.

Look at the difference before it is committed: the files say what is right, not this program.
"""

import json
from pathlib import Path
from typing import Any

from review.edits import fractional_index, operations, word_timing
from review.edits.edit_validation import InvalidEdit
from review.serializers import segment_from_json
from tests.review import golden_edits, golden_timing
from tests.review.memory import MemoryState

FOLDER = Path(__file__).resolve().parent.parent / "golden"
Case = dict[str, Any]

RANKS: list[Case] = [
    {"name": name, "input": value}
    for name, value in [
        ("the first of all", {"between": [None, None]}),
        ("before the first", {"between": [None, "i"]}),
        ("behind the last", {"between": ["i", None]}),
        ("behind the last there is", {"between": ["z", None]}),
        ("behind many z", {"between": ["zzzz", None]}),
        ("between neighbours", {"between": ["a", "b"]}),
        ("between neighbours that go on", {"between": ["ai", "b1"]}),
        ("between a rank and a longer one", {"between": ["a", "a1"]}),
        ("between a rank and a much longer one", {"between": ["a", "a0001"]}),
        ("before a rank close to zero", {"between": [None, "01"]}),
        ("digits come before letters", {"between": ["9", "a"]}),
        ("far apart", {"between": ["1", "z"]}),
        ("of one width", {"between": ["0n5i", "0n6i"]}),
        ("the wrong way round", {"between": ["b", "a"]}),
        ("twice the same", {"between": ["a", "a"]}),
        ("no machine rows", {"spread": 0}),
        ("one machine row", {"spread": 1}),
        ("three machine rows", {"spread": 3}),
        ("as many as one digit holds", {"spread": 35}),
        ("more than one digit holds", {"spread": 40}),
    ]
]


def expand(value: Any) -> Any:
    """Write {"repeat": [text, times]} out."""
    if isinstance(value, dict):
        if set(value) == {"repeat"}:
            text, times = value["repeat"]
            return text * times
        return {name: expand(one) for name, one in value.items()}
    return [expand(one) for one in value] if isinstance(value, list) else value


def shorten(value: Any) -> Any:
    """The opposite of expand, for long texts of one character."""
    if isinstance(value, dict):
        return {name: shorten(one) for name, one in value.items()}
    if isinstance(value, str) and len(value) > 1000 and len(set(value)) == 1:
        return {"repeat": [value[0], len(value)]}
    return [shorten(one) for one in value] if isinstance(value, list) else value


def answer_ranks(case: Case) -> Case:
    (verb, value), *_none = case["input"].items()
    try:
        return {
            "output": fractional_index.between(*value)
            if verb == "between"
            else fractional_index.spread(value)
        }
    except fractional_index.NoRoom:
        return {"error": "NO_ROOM"}


def answer_timing(case: Case) -> Case:
    (verb, value), *_none = expand(case["input"]).items()
    value = segment_from_json(value)
    match verb:
        case "align":
            return {"output": word_timing.align(**value)}
        case "fit":
            return {"output": word_timing.fit(value["words"], tuple(value["old"]), tuple(value["new"]))}
        case "split":
            return {"output": list(word_timing.split(**value))}
        case _:
            return {"output": word_timing.cut_machine_text(**value)}


def answer_edit(case: Case) -> Case:
    try:
        return {"patch": operations.apply(MemoryState(expand(case["state"])), expand(case["edit"]))}
    except InvalidEdit as wrong:
        return {"error": wrong.code}


FILES = {
    "fractional_index.json": (RANKS, answer_ranks),
    "timing.json": (golden_timing.CASES, answer_timing),
    "edits.json": (golden_edits.CASES, answer_edit),
}


def write() -> None:
    for name, (cases, answer) in FILES.items():
        full = [{**case, **shorten(answer(case))} for case in cases]
        (FOLDER / name).write_text("[\n" + ",\n".join(map(written, full)) + "\n]\n")


def written(case: Case) -> str:
    """A line a part, so that a difference can be read."""
    parts = (f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in case.items())
    return "{\n" + ",\n".join(parts) + "\n}"


if __name__ == "__main__":
    write()
