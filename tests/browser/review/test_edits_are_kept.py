"""What is done on the review page is kept: reloaded, offline, closed and killed, and it is so in every file."""

import html
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.review.transcript import caret_at, key_of, saved, texts

pytestmark = pytest.mark.browser
LABELS = {
    "txt": "Text",
    "md": "Markdown",
    "srt": "Subtitles (SRT)",
    "vtt": "Subtitles (WebVTT)",
    "json": "JSON",
}
SHOWN = """page => [...page.querySelectorAll(".segment")].map((row) => ({
  time: row.querySelector(".time").textContent,
  speaker: row.querySelector(".speaker").textContent,
  text: row.querySelector(".said").textContent,
}))"""
STEPS = 21  # of the test below
STORED = "page => [...page.store.state.segments].map(({ start, end, text }) => ({ start, end, text }))"


def act(page: Page, kind: str, **fields: Any) -> None:
    edit = {"kind": kind, **{name.rstrip("_"): value for name, value in fields.items()}}
    assert page.evaluate("edit => document.querySelector('transcript-page').act([edit])", edit), edit


def on_page(page: Page, script: str) -> Any:
    return page.locator("transcript-page").evaluate(script)


# Readers of the files, apart from what wrote them ------------------------------------------------------


def squeezed(text: str) -> str:
    return "".join(text.split())


def cues(text: str, point: str) -> list[tuple[float, str]]:
    """The start and the text of each cue."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        at = next((n for n, line in enumerate(lines) if " --> " in line), None)
        if at is not None:
            hours, minutes, seconds = lines[at].split(" --> ")[0].replace(point, ".").split(":")
            start = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            found.append((start, " ".join(lines[at + 1 :])))
    return found


def files_of(page: Page) -> dict[str, str]:
    """Every format, by the links that people click."""
    page.locator("details.downloads").evaluate("details => { details.open = true }")
    made = {}
    for name, label in LABELS.items():
        with page.expect_download() as coming:
            page.get_by_role("link", name=label, exact=True).click()
        made[name] = Path(coming.value.path()).read_text()
    page.locator("details.downloads").evaluate("details => { details.open = false }")
    return made


def check_files(page: Page) -> None:
    """What the page shows is what the files say."""
    shown, files = on_page(page, SHOWN), files_of(page)
    segments = json.loads(files["json"])["segments"]
    nobody = "No speaker"
    assert [(row["text"], row.get("speaker", nobody)) for row in segments] == [
        (row["text"], row["speaker"]) for row in shown
    ]
    assert [(row["start"], row["end"]) for row in segments] == [
        (row["start"], row["end"]) for row in on_page(page, STORED)
    ]
    whole = squeezed("".join(row["text"] for row in shown))
    names = {row["speaker"] for row in shown} - {nobody}
    lines = [line for line in files["txt"].split("\n") if line and line.removesuffix(":") not in names]
    assert squeezed("".join(lines)) == whole
    paragraphs = re.findall(r"^`([\d:]+)`(?: \*\*.+?\*\*)? (.*)$", files["md"], re.MULTILINE)
    assert [(time.lstrip("0"), text) for time, text in paragraphs] == [
        (row["time"].lstrip("0"), row["text"]) for row in shown
    ]
    for name, point in (("srt", ","), ("vtt", ".")):
        said = cues(files[name], point)
        assert squeezed("".join(bare(text, names) for _start, text in said)) == whole
        assert said[0][0] == pytest.approx(segments[0]["start"], abs=0.6)


def bare(cue: str, names: set[str]) -> str:
    text = html.unescape(re.sub(r"^<v [^>]*>", "", cue))
    prefix = next((f"{name}: " for name in names if text.startswith(f"{name}: ")), "")
    return text.removeprefix(prefix)


# End-to-end ---------------------------------------------------------------------------------------


def test_every_kind_of_edit_is_so_after_a_reload_and_in_every_file(fresh: Page) -> None:
    machine = on_page(fresh, SHOWN)
    new = [str(uuid.uuid4()) for _ in range(5)]
    change_speakers_and_cut(fresh, new)
    check_after_reload(fresh)
    join_and_mark(fresh, new)
    check_after_reload(fresh)
    expect(fresh.locator(".segment").first).to_contain_class("is-highlighted")
    expect(fresh.get_by_label("Review", exact=True)).to_have_value("second_look")
    first, second = (key for key in speakers(fresh) if key != new[0])
    act(fresh, "MergeSpeakers", from_=second, into=first)
    act(fresh, "SetSpeaker", segment=key_of(fresh, 0), speaker=new[0], scope="everywhere")
    act(fresh, "Restore", segments=[key_of(fresh, 0)])
    check_after_reload(fresh)
    assert texts(fresh)[0] == machine[0]["text"]
    done = on_page(fresh, SHOWN)
    for keys, wanted in (("Control+z", machine), ("Control+Shift+z", done)):
        for _ in range(STEPS):
            fresh.keyboard.press(keys)
        check_after_reload(fresh)
        assert on_page(fresh, SHOWN) == wanted


def change_speakers_and_cut(page: Page, new: list[str]) -> None:
    first, second = speakers(page)
    one, two, three = (key_of(page, number) for number in range(3))
    act(page, "AddSpeaker", newKey=new[0], name="Maria Ñ")
    act(page, "RenameSpeaker", speaker=first, name="Anna")
    act(page, "RecolourSpeaker", speaker=first, colour=7)
    act(page, "SetHotkey", speaker=first, hotkey=5)
    act(page, "SetText", segment=one, text="Written anew, with five more words.")
    act(page, "SetTimes", segment=one, start=0.25, end=2.5)
    act(page, "SetSpeaker", segment=two, speaker=new[0], scope="one")
    act(page, "Split", segment=two, at=texts(page)[1].index(" "), newKey=new[1])
    act(page, "SplitThreeWay", segment=three, from_=3, to=7, newKeys=new[2:4], speaker=second)


def join_and_mark(page: Page, new: list[str]) -> None:
    one, last = key_of(page, 0), key_of(page, -1)
    act(page, "Merge", segment=new[1], with_="previous")
    act(page, "Merge", segment=new[2], with_="next")
    act(page, "Insert", after=new[2], newKey=new[4], start=1, end=2, text="Put in.", speaker=None)
    act(page, "SetSpeaker", segment=new[2], speaker=new[0], scope="run")
    act(page, "Delete", segment=last)
    act(page, "Highlight", segment=one, on=True)
    act(page, "Check", segment=one, on=True)
    act(page, "SetStatus", status="second_look")
    act(page, "SetReviewer", reviewer="Jonas")


def speakers(page: Page) -> list[str]:
    keys: list[str] = on_page(page, "page => [...page.store.state.speakers.keys()]")
    return keys


def check_after_reload(page: Page) -> None:
    saved(page)
    before = on_page(page, SHOWN)
    page.reload()
    saved(page)
    assert on_page(page, SHOWN) == before
    check_files(page)


def test_fifty_edits_offline_outlive_the_tab_arrive_in_order_and_can_be_undone(
    fresh: Page, troubles: list[str]
) -> None:
    context, address, key = fresh.context, fresh.url, key_of(fresh, 2)
    before = texts(fresh)
    context.set_offline(True)
    for number in range(50):
        act(
            fresh,
            "SetText" if number % 2 else "Highlight",
            segment=key,
            text=f"Step {number}",
            on=number % 4 == 0,
        )
    expect(fresh.locator("[data-field=saving]")).to_have_text(
        re.compile(r"Offline: \d+ changes saved in this browser")
    )
    fresh.close()
    context.set_offline(False)
    again = context.new_page()
    sent: list[Request] = []
    again.on("request", lambda request: sent.append(request) if request.url.endswith("/edits") else None)
    again.goto(address)
    saved(again)
    assert texts(again)[2] == "Step 49"
    written = [
        edit["text"]
        for one in sent
        for edit in (one.post_data_json or {})["edits"]
        if edit["kind"] == "SetText"
    ]
    assert written == [f"Step {number}" for number in range(1, 50, 2)]
    again.reload()
    saved(again)
    for _ in range(50):
        again.keyboard.press("Control+z")
    saved(again)
    assert texts(again) == before
    troubles.clear()


def test_what_the_browser_keeps_is_there_after_the_tab_was_killed(fresh: Page, troubles: list[str]) -> None:
    context, address = fresh.context, fresh.url
    context.set_offline(True)  # so that it can only come from what the browser keeps
    caret_at(fresh, 0)
    fresh.keyboard.type("Killed. ")
    expect(fresh.locator("[data-field=saving]")).to_have_text(
        re.compile(r"Offline: \d+ changes? saved in this browser")
    )
    fresh.close(run_before_unload=False)
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    saved(again)
    assert texts(again)[0].startswith("Killed. ")
    troubles.clear()


def test_edits_are_sent_within_half_a_second_and_go_on_being_sent_while_somebody_types(fresh: Page) -> None:
    fresh.evaluate(
        """() => {
          window.times = { typed: [], sent: [] };
          addEventListener("input", () => times.typed.push(performance.now()), true);
          const plain = window.fetch;
          window.fetch = (url, options) => {
            if (String(url).endsWith("/edits")) times.sent.push(performance.now());
            return plain(url, options);
          };
        }"""
    )
    caret_at(fresh, 0)
    fresh.keyboard.type("Typed without a pause, for some seconds. ", delay=80)
    saved(fresh)
    times = fresh.evaluate("times")
    assert len(times["sent"]) >= 3, "not only at the end"
    slack = 500  # of a busy machine
    assert times["sent"][0] - times["typed"][0] <= 500 + slack
    assert times["sent"][-1] - times["typed"][-1] <= 500 + slack
    assert times["sent"][-1] >= times["typed"][-1]


def test_a_server_that_fails_for_a_while_costs_nothing(fresh: Page, troubles: list[str]) -> None:
    answers = iter([(500, "<h1>Error</h1>"), (502, "<html>Bad gateway"), (200, "<html>Hotel sign-in")])

    def reply(route: Any) -> None:
        answer = next(answers, None)
        if answer is None:
            route.continue_()
        else:
            route.fulfill(status=answer[0], content_type="text/html", body=answer[1])

    fresh.route("**/edits", reply)
    caret_at(fresh, 0)
    fresh.keyboard.type("Patient. ")
    expect(fresh.locator("[data-field=saving]")).to_contain_text("saved in this browser")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith("Patient. ")
    troubles.clear()


def test_an_answer_that_was_lost_is_no_second_edit(fresh: Page, troubles: list[str]) -> None:
    lost: list[Any] = []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())  # the server has it; the page never hears
        route.abort()

    before = texts(fresh)
    fresh.route("**/edits", lose)
    act(fresh, "Split", segment=key_of(fresh, 1), at=before[1].index(" "), newKey=str(uuid.uuid4()))
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert lost
    assert len(texts(fresh)) == len(before) + 1
    troubles.clear()


def test_kept_steps_stay_in_order_and_come_back_when_their_storage_is_cleared(fresh: Page) -> None:
    kept = fresh.evaluate(
        """async () => {
          const { openStepStorage } = await import("/static/review/store/step-storage.js");
          const step = (id) => ({ id, client: "c", edits: [] });
          const early = await openStepStorage("a place", { now: () => 2_000_000 });
          await early.put(step("first"));
          const later = await openStepStorage("a place", { now: () => 1_000_000 });
          await later.put(step("second"));
          const ids = (steps) => steps.map(({ id }) => id).join();
          const inOrder = ids(await later.all());
          await new Promise((resolve, reject) => {
            const clearing = indexedDB.deleteDatabase("review");
            Object.assign(clearing, { onsuccess: resolve, onerror: reject, onblocked: reject });
          });
          await later.put(step("third"));
          return [inOrder, ids(await later.all())];
        }"""
    )
    assert kept == ["first,second", "second,third"]


def test_a_browser_without_storage_shows_the_text_and_sends(fresh: Page, troubles: list[str]) -> None:
    fresh.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') }"
    )
    fresh.reload()
    saved(fresh)
    caret_at(fresh, 0)
    fresh.keyboard.type("Sent. ")
    saved(fresh)
    fresh.context.set_offline(True)
    fresh.keyboard.type("More. ")
    expect(fresh.locator("[data-field=saving]")).to_contain_text("keep the page open")
    fresh.context.set_offline(False)
    fresh.evaluate("dispatchEvent(new Event('online'))")
    saved(fresh)
    troubles.clear()
