"""The details beside the text: segments timed and inserted, doubts, highlights, history, versions, machine text."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.installation import Installation
from tests.browser.person import Person
from tests.browser.review.transcript import caret_at, saved, texts

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> {{7*7}}"


# Something for each list: an edit, a highlight, a version.
FILL = """async () => {
  const { postJson } = await import("/static/bulktranscribe/http.js");
  const page = document.querySelector("transcript-page");
  const segment = page.store.state.segments.at(0).key;
  page.act([{ kind: "SetText", segment, text: "Something else." }, { kind: "Highlight", segment, on: true }]);
  return (await postJson(`${page.dataset.url}/revisions`, { name: "as transcribed" })).revision.name;
}"""


@pytest.fixture
def fresh(page: Page, again: Callable[..., str]) -> Page:
    """A transcript that nobody has touched, on a wide window."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(again())
    saved(page)
    return page


def section(page: Page, name: str) -> Locator:
    """A section of the details, opened."""
    fold = page.locator("details-panel .fold").filter(has=page.get_by_role("heading", name=name))
    if fold.get_attribute("open") is None:
        fold.locator("summary").click()
    return fold


def write(page: Page, number: int, text: str) -> None:
    caret_at(page, number, 0)
    page.keyboard.insert_text(text)
    saved(page)


def test_a_version_is_named_compared_and_brought_back_and_that_is_undone(fresh: Page) -> None:
    before = texts(fresh)
    write(fresh, 0, "Kept. ")
    kept = texts(fresh)
    versions = section(fresh, "Versions")
    versions.get_by_role("button", name="Save version", exact=True).click()
    expect(versions.get_by_role("alert")).to_contain_text("Enter a name for this version")
    versions.get_by_label("Version name").fill(HOSTILE)
    versions.get_by_label("Version name").press("Enter")
    expect(versions.get_by_role("status")).to_have_text(f"Saved as “{HOSTILE}”.")
    write(fresh, 1, "Later, <b>bold</b>. ")
    fresh.locator("speaker-list [data-field=name]").first.fill("Anna")
    fresh.locator("speaker-list [data-field=name]").first.press("Tab")
    versions.get_by_role("button", name="Compare").first.click()
    compared = versions.get_by_role("region", name=f"Changes since “{HOSTILE}”")
    expect(compared.locator("ins")).to_have_text(["Later, <b>bold</b>. "])
    expect(compared.get_by_text(re.compile(r"Speaker SPEAKER_0\d was renamed to Anna"))).to_be_visible()
    versions.get_by_role("button", name="Restore").first.click()
    expect(versions.get_by_role("status")).to_have_text(f"Restored “{HOSTILE}”. You can undo this.")
    assert texts(fresh) == kept
    expect(compared.get_by_text("No differences")).to_be_visible()
    fresh.keyboard.press("Control+z")
    expect(fresh.locator(".said").nth(1)).to_contain_text("Later, <b>bold</b>.")
    expect(fresh.locator(".speaker", has_text="Anna").first).to_be_visible()
    for _ in range(3):
        fresh.keyboard.press("Control+z")
    saved(fresh)
    assert texts(fresh) == before, "the steps before it are undone after it, in their order"
    fresh.reload()
    saved(fresh)
    assert texts(fresh) == before


def test_without_a_connection_versions_wait_and_say_so(fresh: Page, troubles: list[str]) -> None:
    versions = section(fresh, "Versions")
    keep = versions.get_by_role("button", name="Save version", exact=True)
    expect(keep).to_be_enabled()
    fresh.context.set_offline(True)
    expect(keep).to_be_disabled()
    expect(versions.get_by_text("You are offline")).to_be_visible()
    fresh.context.set_offline(False)
    expect(keep).to_be_enabled()
    troubles.clear()


def test_the_machines_text_is_compared_and_taken_back_for_one_segment_and_for_all(fresh: Page) -> None:
    before = texts(fresh)
    for number in (0, 2, 4):
        write(fresh, number, f"{HOSTILE} ")
    machine = section(fresh, "Machine transcript")
    expect(machine.locator("ins")).to_have_text([f"{HOSTILE} "] * 3)
    expect(machine.get_by_text("3 segments differ from the machine transcript")).to_be_visible()
    machine.locator(".place-go").nth(1).click()
    expect(fresh.locator(".segment").nth(2)).to_contain_class("is-current")
    machine.get_by_role("button", name="Revert to machine transcript", exact=True).nth(1).click()
    expect(machine.locator("li.place")).to_have_count(2)
    assert texts(fresh)[2] == before[2]
    machine.get_by_role("button", name="Revert all to machine transcript").click()
    expect(machine.get_by_text("Every segment matches the machine transcript")).to_be_visible()
    saved(fresh)
    assert texts(fresh) == before
    fresh.keyboard.press("Control+z")
    expect(machine.locator("li.place")).to_have_count(2)
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith(HOSTILE)


@pytest.mark.smoke
def test_a_highlight_is_listed_leads_there_and_is_removed(fresh: Page) -> None:
    highlights = section(fresh, "Highlights")
    expect(highlights.get_by_text("No highlights yet")).to_be_visible()
    fresh.locator(".segment").nth(6).locator(".time").click()
    fresh.keyboard.press("Escape")
    fresh.locator(".segment").nth(6).locator(".said").focus()
    fresh.keyboard.press("h")
    expect(highlights.locator("li.place")).to_have_count(1)
    fresh.locator(".time").first.click()
    fresh.keyboard.press("Escape")
    highlights.locator(".place-go").click()
    expect(fresh.locator(".segment").nth(6)).to_contain_class("is-current")
    expect(fresh.locator(".said").nth(6)).to_be_focused()
    highlights.get_by_role("button", name="Remove highlight").click()
    expect(highlights.locator("li.place")).to_have_count(0)
    expect(fresh.locator(".segment.is-highlighted")).to_have_count(0)


def flag_all(page: Page, installation: Installation) -> None:
    """Have the machine doubt every segment, for one reason that this page knows and one that it does not."""
    flags = [{"kind": "repetition", "score": 3.0}, {"kind": "<b>new</b>", "score": 1.0}]
    key = page.url.rstrip("/").rpartition("/")[2].replace("-", "")
    path = installation.env["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "UPDATE review_segment SET flags = ? WHERE transcript_id = ?", (json.dumps(flags), key)
        )
        count = page.locator(".segment").count()
        database.execute("UPDATE review_transcript SET doubtful = ? WHERE job_input_id = ?", (count, key))
    page.reload()
    saved(page)


def test_flagged_segments_are_listed_and_found_fine_one_by_one(
    fresh: Page, installation: Installation
) -> None:
    flag_all(fresh, installation)
    doubtful = section(fresh, "Flagged segments")
    flagged, listed = fresh.locator(".segment.is-doubtful"), doubtful.locator("li.place")
    count = fresh.locator(".segment").count()
    expect(listed).to_have_count(count)
    expect(doubtful.locator("[data-part=count]")).to_have_text(str(count))
    expect(doubtful.locator(".place-why").first).to_have_text("repeated text · flagged: <b>new</b>")
    doubtful.locator(".place-go").nth(2).click()
    expect(fresh.locator(".segment").nth(2)).to_contain_class("is-current")
    fine = doubtful.get_by_role("button", name="Dismiss flag")
    fine.nth(1).focus()
    fresh.keyboard.press("Enter")
    fresh.keyboard.press("Enter")
    expect(flagged).to_have_count(count - 2)
    expect(listed).to_have_count(count - 2)
    expect(fine.nth(1)).to_be_focused()
    expect(doubtful.locator("[data-part=count]")).to_have_text(str(count - 2))
    fresh.keyboard.press("Control+z")
    expect(listed).to_have_count(count - 1)
    saved(fresh)


def test_the_history_tells_who_did_what_and_what_was_taken_back(fresh: Page) -> None:
    write(fresh, 3, f"{HOSTILE} ")
    fresh.reload()
    saved(fresh)
    history = section(fresh, "History")
    deeds = history.locator("[data-part=deed]")
    expect(deeds.first).to_have_text("owner changed the text")
    expect(history.locator(".place-text").first).to_contain_text(HOSTILE)
    fresh.locator(".time").first.click()
    fresh.keyboard.press("Escape")
    history.locator(".place-go").first.click()
    expect(fresh.locator(".segment").nth(3)).to_contain_class("is-current")
    fresh.keyboard.press("Control+z")
    expect(deeds.first).to_have_text("owner undid an edit")
    expect(history.locator("li.place").nth(1)).to_contain_text("undone")
    other = fresh.context.new_page()
    other.goto(fresh.url)
    saved(other)
    write(other, 0, "From elsewhere. ")
    expect(deeds.first).to_have_text("owner changed the text")


def test_times_are_set_by_steps_by_the_player_and_in_writing(fresh: Page) -> None:
    fresh.locator(".said").nth(2).click()
    segment = section(fresh, "Current segment")
    start, end = (segment.get_by_role("group", name=name) for name in ("Start", "End"))
    field = start.get_by_role("spinbutton")
    field.fill("0:01.5")
    field.press("Enter")
    expect(fresh.locator(".time").nth(2)).to_have_text("0:01")
    for _ in range(3):
        start.get_by_role("button", name="0.1 s later").click()
    expect(field).to_have_value("0:01.8")
    field.press("Shift+ArrowUp")
    expect(field).to_have_value("0:02.8")
    field.press("Tab")
    expect(fresh.locator(".time").nth(2)).to_have_text("0:02")
    end.get_by_role("spinbutton").fill("0:01")
    end.get_by_role("spinbutton").press("Enter")
    expect(end.get_by_role("alert")).to_have_text("The end cannot be before the start (0:02.8).")
    end.get_by_role("spinbutton").fill("soon")
    end.get_by_role("spinbutton").press("Enter")
    expect(end.get_by_role("alert")).to_contain_text("Enter a time such as")
    fresh.locator("audio").evaluate("audio => { audio.currentTime = 7.25 }")
    end.get_by_role("button", name="Set to playback position").click()
    expect(end.get_by_role("spinbutton")).to_have_value("0:07.25")
    expect(end.get_by_role("alert")).to_be_hidden()
    saved(fresh)
    fresh.reload()
    saved(fresh)
    fresh.locator(".said").nth(2).click()
    expect(end.get_by_role("spinbutton")).to_have_value("0:07.25")
    expect(field).to_have_value("0:02.8")


def test_a_time_stays_while_it_is_typed_though_an_earlier_edit_is_saved_meanwhile(fresh: Page) -> None:
    fresh.locator(".said").nth(2).click()
    segment = section(fresh, "Current segment")
    field = segment.get_by_role("group", name="Start").get_by_role("spinbutton")
    segment.get_by_role("button", name="Highlight segment").click()
    field.fill("")
    field.press_sequentially("0:01.5", delay=250)
    expect(field).to_have_value("0:01.5")
    field.press("Enter")
    expect(fresh.locator(".time").nth(2)).to_have_text("0:01")
    saved(fresh)


def test_a_segment_is_inserted_written_given_to_a_speaker_and_deleted(fresh: Page) -> None:
    before = texts(fresh)
    fresh.locator(".said").nth(1).click()
    segment = section(fresh, "Current segment")
    segment.get_by_role("button", name="Insert segment after").click()
    expect(fresh.locator(".said").nth(2)).to_be_focused()
    fresh.keyboard.type("Oh no.")
    segment.get_by_label("Segment speaker").select_option(label="SPEAKER_00")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh) == [*before[:2], "Oh no.", *before[2:]]
    expect(fresh.locator(".segment").nth(2).locator(".speaker")).to_have_text("SPEAKER_00")
    fresh.locator(".said").nth(2).click()
    segment.get_by_role("button", name="Delete segment").click()
    saved(fresh)
    assert texts(fresh) == before
    fresh.keyboard.press("Control+z")
    expect(fresh.locator(".said").nth(2)).to_have_text("Oh no.")


def test_keys_alone_open_use_and_close_the_details(fresh: Page) -> None:
    person = Person(fresh, "")
    panel = fresh.locator("details-panel")
    fresh.get_by_role("button", name="Details").click()
    expect(panel).to_be_hidden()
    fresh.reload()
    saved(fresh)
    expect(panel).to_be_hidden()
    caret_at(fresh, 1, 0)
    fresh.keyboard.press("Alt+i")
    expect(panel.get_by_role("heading", name="Details")).to_be_focused()
    person.tab_to(panel.locator(".fold", has_text="Current segment").get_by_role("spinbutton").first)
    fresh.keyboard.press("ArrowUp")
    person.tab_to(panel.locator("summary", has_text="History"))
    fresh.keyboard.press("Enter")
    expect(panel.locator("[data-part=deed]").first).to_have_text("owner changed the times")
    fresh.keyboard.press("Alt+i")
    expect(panel).to_be_hidden()
    expect(fresh.locator(".said").nth(1)).to_be_focused()


def test_on_a_phone_the_details_are_a_sheet_that_gets_out_of_the_way(
    open_page: Callable[..., Page], signed_in: Path, again: Callable[..., str]
) -> None:
    page = open_page(storage_state=signed_in, viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(again())
    saved(page)
    assert page.evaluate(FILL) == "as transcribed"
    saved(page)
    panel = page.locator("details-panel")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Details").click()
    expect(panel.get_by_role("heading", name="Details")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = """() => [...document.querySelectorAll("details-panel :is(button, input, select, summary)")]
      .filter((element) => element.checkVisibility())
      .filter((element) => element.getBoundingClientRect().height < 43.5).map((element) => element.outerHTML)"""
    for name in ("Highlights", "History", "Versions", "Machine transcript"):
        expect(section(page, name).locator("li").first).to_be_visible()
    assert not page.evaluate(small)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Details").click()
    page.locator(".time").first.focus()
    expect(panel).to_be_hidden()
    page.reload()
    saved(page)
    expect(panel).to_be_hidden()
