"""The pure modules of the pages, tested by Node's own runner: `node --test $(find tests/js -name "*.test.js")`."""

import json
import random
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from tests.js.node import run_node

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("name", sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.test.js")))
def test_the_modules_do_what_their_tests_say(name: str) -> None:
    done = run_node("--test", str(HERE / name))
    assert done.returncode == 0, done.stdout + done.stderr


def test_blocks_are_those_of_difflib() -> None:
    """Equal texts may match in many ways; Python and JavaScript have to choose the same one."""
    chance = random.Random(5)
    pairs = [[tokens(chance), tokens(chance)] for _pair in range(500)]
    done = run_node(str(HERE / "review" / "edits" / "blocks.js"), text=json.dumps(pairs))
    assert done.returncode == 0, done.stderr
    for (old, new), found in zip(pairs, json.loads(done.stdout), strict=True):
        assert found == blocks(old, new), (old, new)


def tokens(chance: random.Random) -> list[str]:
    letters = "abcdefgh"[: chance.randint(1, 8)]
    return [chance.choice(letters) for _token in range(chance.randint(0, 30))]


def blocks(old: list[str], new: list[str]) -> list[list[int]]:
    """difflib's, between what both begin and end with; neighbouring blocks are one."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    found = [[0, 0, head], *([head + i, head + j, size] for i, j, size in middle.get_matching_blocks())]
    joined: list[list[int]] = []
    for i, j, size in [*found, [len(old) - tail, len(new) - tail, tail]]:
        if joined and size and [i, j] == [joined[-1][0] + joined[-1][2], joined[-1][1] + joined[-1][2]]:
            joined[-1][2] += size
        elif size:
            joined.append([i, j, size])
    return joined
