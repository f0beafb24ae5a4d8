"""The pure modules of the pages, in the engine that runs them."""

import pytest
from playwright.sync_api import Page

from jobs.pages.sizes import file_size
from tests.browser.installation import Installation

pytestmark = pytest.mark.browser


@pytest.fixture
def module_page(page: Page, installation: Installation) -> Page:
    page.goto(f"{installation.url}/")
    return page


def test_the_word_at_a_moment_is_found(module_page: Page) -> None:
    found = module_page.evaluate(
        """async () => {
          const { offsetsOf, wordAt, wordSpokenAt } = await import("/static/review/view/word-offsets.js");
          const { lastBegun } = await import("/static/review/store/ordered-segments.js");
          const times = [[0.5, 0.9], [1, 1.2], [1, 1.5], [9, 9.4]];
          const rows = times.map(([start]) => ({ start }));
          const segments = { size: rows.length, at: (index) => rows[index] };
          const words = times.map(([start, end], index) => [`w${index}`, start, end, 0.9, 0, " "]);
          const places = offsetsOf({ text: "w0 w1, w2 — w3", words });
          const indexOf = (place) => places.indexOf(place);
          return {
            last: [0, 0.5, 0.99, 1, 5, 100].map((time) => lastBegun(segments, time)),
            spoken: [0, 0.5, 0.95, 1.4, 2.0, 2.2, 9.1, 11].map((time) => indexOf(wordSpokenAt(places, time))),
            empty: indexOf(wordSpokenAt([], 1)),
            stretches: places.map(({ from, to }) => [from, to]),
            clicked: [0, 2, 3, 11, 14].map((offset) => indexOf(wordAt(places, offset))),
            typedOver: offsetsOf({ text: "w0 w3 🎙", words }).map(({ from }) => from),
          };
        }"""
    )
    assert found["last"] == [-1, 0, 0, 2, 2, 3]
    assert found["spoken"] == [-1, 0, 0, 2, 2, -1, 3, -1]
    assert found["empty"] == -1
    assert found["stretches"] == [[0, 2], [3, 5], [7, 9], [12, 14]]
    assert found["clicked"] == [0, 0, 1, 2, 3]
    assert found["typedOver"] == [0, 3], "words that the text does not have are left out"


def test_times_and_counts_are_said_as_the_server_says_them(module_page: Page) -> None:
    said = module_page.evaluate(
        """async () => {
          const { Words, clock } = await import("/static/bulktranscribe/words.js");
          const words = new Words({
            seconds: "{s} s", minutes: "{m} min", hours: "{h} h {m} min",
            "file.one": "{n} file", "file.other": "{n} files",
          });
          return {
            clock: [0, 75.2, 3675, NaN].map(clock),
            duration: [0, 59.9, 60, 3599, 4320].map((seconds) => words.duration(seconds)),
            count: [0, 1, 2].map((n) => words.count("file", n)),
            size: [0, 999, 1000, 234587].map((bytes) => words.size(bytes)),
          };
        }"""
    )
    assert said["clock"] == ["0:00", "1:15", "1:01:15", "0:00"]
    assert said["duration"] == ["0 s", "59 s", "1 min", "1 h 0 min", "1 h 12 min"]
    assert said["count"] == ["0 files", "1 file", "2 files"]
    assert said["size"] == [file_size(size) for size in (0, 999, 1000, 234587)]


def test_a_few_files_are_sent_at_a_time(module_page: Page) -> None:
    answer = module_page.evaluate(
        """async () => {
          const { Meter, nextToSend, overall, PARALLEL } = await import("/static/jobs/uploads/transfers.js");
          const transfers = [..."dssqqq"].map((letter, id) => ({
            id, size: 100, sent: letter === "s" ? 50 : 0, status: { d: "done", s: "sending", q: "queued" }[letter],
          }));
          const meter = new Meter(10);
          meter.note(1000, 11);
          meter.note(1100, 11.1);
          return {
            parallel: PARALLEL, next: nextToSend(transfers).map(({ id }) => id), overall: overall(transfers),
            speed: meter.speed, left: meter.left(3000), unknown: new Meter(0).left(10),
          };
        }"""
    )
    assert answer["next"] == [3, 4]
    assert answer["parallel"] == 4
    assert answer["overall"] == {"files": 6, "ended": 1, "bytes": 600, "sent": 200}
    assert answer["speed"] == 1000
    assert answer["left"] == 2
    assert answer["unknown"] is None


def test_the_page_asks_seldom_when_nothing_happens_or_nobody_answers(module_page: Page) -> None:
    pauses = module_page.evaluate(
        """async () => {
          const { nextPause } = await import("/static/jobs/polling.js");
          const seen = { active: true, hidden: false, failures: 0 };
          return [
            seen, { ...seen, active: false }, { ...seen, hidden: true },
            { ...seen, failures: 1 }, { ...seen, failures: 3 }, { ...seen, failures: 99 },
          ].map(nextPause);
        }"""
    )
    assert pauses == [2000, 10000, 10000, 2000, 8000, 10000]


def test_a_key_is_told_from_another_by_its_modifiers_and_the_place(module_page: Page) -> None:
    found = module_page.evaluate(
        """async () => {
          const { bindingsOf, keyFor } = await import("/static/review/keys/key-bindings.js");
          const press = (code, isReading, more = {}) => {
            const key = keyFor({ code, ...more }, { isReading }, bindingsOf());
            return key?.seconds ?? key?.command;
          };
          return [
            press("Space", true), press("Space", false), press("Space", false, { ctrlKey: true }),
            press("ArrowLeft", true), press("ArrowLeft", false, { altKey: true }),
            press("ArrowLeft", false, { altKey: true, shiftKey: true }), press("Escape", true, { metaKey: true }),
          ].map((value) => value ?? null);
        }"""
    )
    assert found == ["toggle", None, "toggle", None, -2, -10, None]


def test_a_file_shows_its_position_worker_attempt_and_an_unresponsive_worker(module_page: Page) -> None:
    said = module_page.evaluate(
        """async () => {
          const { detailOf } = await import("/static/jobs/status-text.js");
          const { Words } = await import("/static/bulktranscribe/words.js");
          const words = new Words({
            next: "next in line", "ahead.one": "{n} file ahead", "ahead.other": "{n} files ahead",
            left: "about {time} left", minutes: "{m} min", worker: "on {name}", try: "attempt {n}",
            "try-of": "attempt {n} of {of}", silent: "silent since {since}, fails at {until}", unreached: "no answer",
          });
          const waiting = { status: "queued", attempt: 0, attempts: 1, worker: "" };
          const running = { status: "running", attempt: 2, attempts: 3, worker: "box-2", percent: 0, stage: "queued" };
          const silent = { unreachableSince: "2026-11-24T14:02:00+00:00", givenUpAt: "2026-11-24T14:03:30+00:00" };
          return [
            { ...waiting, filesAhead: 0, etaSeconds: null }, { ...waiting, filesAhead: 1, etaSeconds: 600 },
            { ...waiting, filesAhead: null }, running, { ...running, attempts: 1 },
            { ...running, ...silent, attempt: 1, remote: { lastError: { code: "X" } } },
            { ...running, attempt: 1, remote: { lastError: { code: "X" } } }, { ...running, status: "failed" },
          ].map((input) => detailOf(input, words));
        }"""
    )
    assert said[:5] == [
        "next in line", "1 file ahead · about 10 min left", "", "on box-2 · attempt 2 of 3", "on box-2 · attempt 2",
    ]  # fmt: skip
    assert said[5].startswith("on box-2 · silent since ")
    assert "fails at" in said[5]
    assert said[6:] == ["on box-2 · no answer", ""]
