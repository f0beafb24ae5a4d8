"""Every key of the table, pressed once in each place where somebody may be: what it does, and nothing else."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.person import Person
from tests.browser.review.transcript import pedal, saved
from tests.contract.installation import wait_for

pytestmark = pytest.mark.browser
CURRENT = 4  # the segment where each case begins
DOUBTFUL = (2, 4, 6)
FLAGS = json.dumps([{"kind": "low_confidence", "score": 0.6}])
LOOK = """() => {
  const page = document.querySelector("transcript-page");
  const rows = [...page.store.state.segments];
  const count = (test) => rows.filter(test).length;
  return {
    time: Math.round(page.player.time * 10), playing: page.player.isPlaying, speed: page.player.speed.value,
    rows: rows.map(({ key }) => key).join(), text: rows.map(({ text }) => text).join("").replaceAll(" ", ""),
    who: rows.map(({ speaker }) => speaker).filter((one, at, all) => one !== all[at - 1]).join(),
    highlighted: count((row) => row.highlighted), checked: count((row) => row.checked),
    flags: count((row) => row.flags.some((flag) => !flag.dismissed)),
    status: page.store.state.transcript.reviewStatus, current: page.list.current, editing: page.list.editing !== null,
    help: page.part("keys").open, finding: page.search.isOpen,
    details: page.details.contains(document.activeElement),
  };
}"""
BEGIN = """async ([place, at]) => {
  const page = document.querySelector("transcript-page");
  const row = page.store.state.segments.at(at);
  page.player.pause();
  clearTimeout(page.player.resuming);
  page.player.resuming = null;
  page.player.speed.value = "1";
  page.part("keys").open = false;
  if (page.search.isOpen) page.search.close();
  document.activeElement?.blur();
  getSelection().removeAllRanges();
  const { audio } = page.player;
  const sought = new Promise((done) => audio.addEventListener("seeked", () => setTimeout(done), { once: true }));
  page.player.goTo(row.start + 0.1);
  if (audio.seeking) await sought; // the segment follows it, and would do so after the key
  page.list.makeCurrent(row.key);
  if (place === "field") page.speakers.querySelector("form input").focus();
  if (!place.startsWith("writing")) return;
  const node = page.list.edit(row.key).firstChild;
  getSelection().collapse(node, place === "writing at the start" ? 0 : node.data.indexOf(" "));
}"""
WRITE = """([at, text]) => {
  const page = document.querySelector("transcript-page");
  page.act([{ kind: "SetText", segment: page.store.state.segments.at(at).key, text }]);
}"""
COMMAND = "name => document.querySelector('transcript-page').commands[name]()"
DIGIT = """at => {
  const { segments, speakers } = document.querySelector("transcript-page").store.state;
  return speakers.get(segments.at(at).speaker).hotkey;
}"""
IS_GOING = "() => Boolean(document.querySelector('review-queue').isGoing)"
TABLE_KEYS = """async () => {
  const { COMMANDS } = await import("/static/review/keys/keymap.js");
  const { commands } = document.querySelector("transcript-page");
  return COMMANDS.filter(({ command }) => command in commands).flatMap(({ keys }) => keys);
}"""
EDITED = ("rows", "text", "who", "highlighted", "checked", "flags", "status")
NOTHING: set[str] = set()
TYPED = {"text"}
MOVED = {"playing", "time", "current"}

# Written as in keymap.js: what is changed while reading, while writing, in a field of a name.
TABLE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "Ctrl+Space": ({"playing"}, {"playing"}, {"playing"}),
    "Escape": ({"playing"}, {"playing"}, {"playing"}),
    "Space": ({"playing"}, NOTHING, NOTHING),  # a space more is not seen here
    "F14": ({"playing"}, {"playing"}, {"playing"}),
    "Alt+ArrowLeft": ({"time"}, {"time"}, {"time"}),
    "F13": ({"time"}, {"time"}, {"time"}),
    "Alt+ArrowRight": ({"time"}, {"time"}, {"time"}),
    "F15": ({"time"}, {"time"}, {"time"}),
    "Alt+Shift+ArrowLeft": ({"time"}, {"time"}, {"time"}),
    "Alt+Shift+ArrowRight": ({"time"}, {"time"}, {"time"}),
    "Alt+ArrowUp": (MOVED, MOVED, MOVED),
    "Alt+ArrowDown": (MOVED, MOVED, MOVED),
    "Alt+Minus": ({"speed"}, {"speed"}, {"speed"}),
    "Alt+Equal": ({"speed"}, {"speed"}, {"speed"}),
    "BracketLeft": ({"current"}, TYPED, NOTHING),
    "BracketRight": ({"current"}, TYPED, NOTHING),
    "Alt+KeyN": ({"current"}, {"current"}, NOTHING),
    "Alt+Shift+KeyN": ({"current"}, {"current"}, NOTHING),
    "Ctrl+KeyF": ({"finding"}, {"finding", "editing"}, {"finding"}),
    "F3": (NOTHING, NOTHING, NOTHING),
    "Ctrl+KeyG": (NOTHING, NOTHING, NOTHING),
    "Shift+F3": (NOTHING, NOTHING, NOTHING),
    "Ctrl+Shift+KeyG": (NOTHING, NOTHING, NOTHING),
    "Alt+KeyI": ({"details"}, {"details", "editing"}, {"details"}),
    "Shift+Slash": ({"help"}, TYPED, NOTHING),
    "KeyE": ({"editing"}, TYPED, NOTHING),
    "Enter": (NOTHING, {"rows", "current"}, NOTHING),
    "Shift+Enter": (NOTHING, TYPED, NOTHING),
    "Backspace": (NOTHING, TYPED, NOTHING),
    "Alt+KeyM": ({"flags", "current"}, {"flags", "current"}, NOTHING),
    "KeyH": ({"highlighted"}, TYPED, NOTHING),
    "Delete": ({"rows", "text", "current"}, NOTHING, NOTHING),  # while writing, the space behind the caret
    "Ctrl+Enter": ({"checked", "current"}, {"checked", "current"}, NOTHING),
    "Ctrl+Shift+Enter": ({"status"}, {"status"}, NOTHING),
    "Ctrl+KeyZ": ({"highlighted"}, {"highlighted"}, NOTHING),
    "Ctrl+Shift+KeyZ": ({"highlighted"}, {"highlighted"}, NOTHING),
    "Ctrl+KeyY": ({"highlighted"}, {"highlighted"}, NOTHING),
}
ELSEWHERE = {"Alt+PageDown"}  # it leaves the page: test_review_queue.py presses it
PLACES = ("reading", "writing", "field")


def cases(own: int) -> Iterator[tuple[str, str, set[str]]]:
    """Keys, place, what they change; `own` is the digit of who speaks in the segment, 3 that of somebody added."""
    for keys, effects in TABLE.items():
        yield from ((keys, place, effect) for place, effect in zip(PLACES, effects, strict=True))
    for digit in range(1, 10):
        given = {"who"} if digit <= 3 and digit != own else NOTHING
        yield from ((keys, "reading", given) for keys in (f"Digit{digit}", f"Shift+Digit{digit}"))
        yield from ((keys, "writing", given) for keys in (f"Alt+Digit{digit}", f"Alt+Shift+Digit{digit}"))
        yield (f"Digit{digit}", "writing", TYPED)
        yield (f"Digit{digit}", "field", NOTHING)
    yield ("Backspace", "writing at the start", {"rows", "current"})
    yield ("?", "reading", {"help"})


@pytest.fixture
def doubtful(page: Page, again: Callable[..., str], installation: Installation) -> Page:
    """A transcript with three doubtful places and a third speaker."""
    address = again()
    flag(installation, address.strip("/").split("/")[-1].replace("-", ""))
    page.goto(address)
    saved(page)
    page.get_by_label("New speaker name").fill("Jonas")
    page.get_by_role("button", name="Add", exact=True).click()
    page.evaluate(WRITE, [CURRENT, "There is a space to split at."])
    saved(page)
    return page


def flag(installation: Installation, transcript: str) -> None:
    database = installation.env["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        rows = connection.execute(
            "SELECT id FROM review_segment WHERE transcript_id = ? ORDER BY rank", [transcript]
        ).fetchall()
        chosen = [rows[at] for at in DOUBTFUL]
        connection.execute("UPDATE review_segment SET flags = '[]' WHERE transcript_id = ?", [transcript])
        connection.executemany(f"UPDATE review_segment SET flags = '{FLAGS}' WHERE id = ?", chosen)
        connection.execute(
            "UPDATE review_transcript SET doubtful = ? WHERE job_input_id = ?", [len(chosen), transcript]
        )


def test_every_key_does_what_it_says_where_it_says_and_nothing_else(doubtful: Page) -> None:
    page = doubtful
    own = page.evaluate(DIGIT, CURRENT)
    pressed = {keys for keys, _place, _effect in cases(own)}
    assert pressed | ELSEWHERE >= set(page.evaluate(TABLE_KEYS)), "each key of the table is pressed here"
    start = page.evaluate(LOOK)
    wrong = []
    for keys, place, effect in cases(own):
        begin(page, keys, place)
        before = page.evaluate(LOOK)
        press(page, keys)
        after = page.evaluate(LOOK)
        changed = {name for name in before if before[name] != after[name]}
        if not is_right(changed, effect):
            wrong.append((keys, place, sorted(changed), sorted(effect)))
        take_back(page, start)
    assert not wrong


def is_right(changed: set[str], effect: set[str]) -> bool:
    """While it plays or is moved, time and segment go on by themselves; a segment that goes takes its own along."""
    follows = {"time", "current"} if changed & {"playing", "time"} else NOTHING
    lost = {"who", "flags"} if "rows" in changed else NOTHING
    return effect <= changed and changed - effect <= follows | lost


def begin(page: Page, keys: str, place: str) -> None:
    wait_for(lambda: not page.evaluate(IS_GOING), 30, "the queue has answered")
    page.evaluate(BEGIN, ["reading", CURRENT])
    if keys in ("Ctrl+KeyZ", "Ctrl+Shift+KeyZ", "Ctrl+KeyY"):
        page.evaluate(COMMAND, "highlight")
    if keys in ("Ctrl+Shift+KeyZ", "Ctrl+KeyY"):
        page.evaluate(COMMAND, "undo")
    page.evaluate(BEGIN, [place, CURRENT])


def press(page: Page, keys: str) -> None:
    if keys in ("F13", "F14", "F15"):
        pedal(page, keys)
    else:
        page.keyboard.press(keys.replace("Ctrl", "Control"))


def take_back(page: Page, start: dict[str, Any]) -> None:
    """As it was at the start, by the page's own undo."""
    page.evaluate(
        "document.activeElement?.blur()"
    )  # an undo that takes the segment from under the caret stops letters
    page.get_by_label("New speaker name").evaluate("field => { field.value = '' }")
    for _ in range(9):
        now = page.evaluate(LOOK)
        if all(now[name] == start[name] for name in EDITED):
            return
        page.evaluate(COMMAND, "undo")
    raise AssertionError(f"not taken back: {[name for name in EDITED if now[name] != start[name]]}")


def test_a_pedal_plays_as_long_as_it_is_down(page: Page, transcribed: Person) -> None:
    page.goto(transcribed.transcript_url)
    saved(page)
    pedal(page, "F14")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    pedal(page, "F14", "keyup")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
