"""How tests wait: for conditions, never for a time, and long enough for a machine that is slow today.

Nothing here hurries: a limit is reached only where something is broken, and then 30 seconds more do no harm.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PATIENCE = 30.0  # seconds that anything may take on a slow machine
EXEMPT = {
    "chaos/person.py": "asks again whatever happened",
    "contract/installation.py": "asks again until somebody answers, and plays a slow line",
    "contract/race.py": "plays a Cancel that takes its time",
    "contract/servers.py": "asks whether somebody listens",
    "gpu_worker/engines.py": "plays an engine that works, and one that hangs",
}
Found = tuple[ast.AST, str]


def hurried(tree: ast.AST) -> Iterator[Found]:
    """What waits for a time, or no longer than a fast machine needs."""
    polling = {
        id(inner) for loop in ast.walk(tree) if isinstance(loop, ast.While) for inner in ast.walk(loop)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            if name in ("sleep", "wait_for_timeout") and id(node) not in polling:
                yield node, "waits for a time"
            elif is_short(limit(node, name)) and id(node) not in polling:
                yield node, f"gives up before {PATIENCE:g} s"
        elif isinstance(node, ast.Compare) and is_clock(node.left) and is_short(node.comparators[0]):
            yield node, f"fails what takes less than {PATIENCE:g} s"


PLACES = {"wait": 0, "join": 0, "settimeout": 0, "wait_for": 1, "create_connection": 1}


def called(call: ast.Call) -> str:
    """The last part of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def limit(call: ast.Call, name: str) -> ast.expr | None:
    """How long this call waits at most, in seconds."""
    for keyword in call.keywords:
        if keyword.arg == "timeout" or (keyword.arg == "seconds" and name.startswith("wait")):
            return keyword.value
    place = PLACES.get(name)
    return call.args[place] if place is not None and len(call.args) > place else None


def is_short(node: ast.expr | None) -> bool:
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, int | float) and 0 < node.value < PATIENCE
    )


def is_clock(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.Call) and called(inner) == "monotonic" for inner in ast.walk(node))


def test_no_test_waits_for_a_time_or_gives_up_on_a_slow_machine() -> None:
    found = [
        f"tests/{path.relative_to(HERE)}:{node.lineno} {what}"  # type: ignore[attr-defined]
        for path in sorted(HERE.rglob("*.py"))
        if str(path.relative_to(HERE)) not in EXEMPT
        for node, what in hurried(ast.parse(path.read_text()))
    ]
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(1)", "page.wait_for_timeout(300)", "wait_for(done, 10, 'it is done')", "process.wait(10)",
        "requests.get(url, timeout=5)", "assert time.monotonic() - started < 5", "thread.join(2.5)",
    ],
)  # fmt: skip
def test_haste_is_seen(text: str) -> None:
    assert [what for _node, what in hurried(ast.parse(text))]


@pytest.mark.parametrize(
    "text",
    [
        "while not done():\n    time.sleep(0.1)", "wait_for(done, 30, 'it is done')", "requests.get(url, timeout=30)",
        "event.wait()", "while not stop.wait(0.05):\n    pass", "assert time.monotonic() - started < 60",
    ],
)  # fmt: skip
def test_patience_is_let_pass(text: str) -> None:
    assert not list(hurried(ast.parse(text)))
