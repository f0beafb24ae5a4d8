"""The review queue: a person works through the files of a session, and sees what others have taken."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import RECORDING
from tests.browser.installation import Installation
from tests.browser.person import Person, file, other
from tests.browser.review.transcript import saved

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)> {{7|add:7}} \u202egpj.ogg"
NAMES = ("Mill.ogg", "Flood.ogg", HOSTILE)
RESET = """async (addresses) => {
  const { getJson, postJson } = await import("/static/bulktranscribe/http.js");
  for (const address of addresses) {
    const url = `/api${new URL(address, location).pathname.replace(/[/]$/, "")}`;
    const { version: baseVersion } = (await getJson(url)).body;
    const edits = [{ kind: "SetReviewer", reviewer: null }, { kind: "SetStatus", status: "new" }];
    await postJson(`${url}/edits`, { baseVersion, edits: edits.map((edit) => ({ id: crypto.randomUUID(), ...edit })) });
  }
}"""


@pytest.fixture(scope="module")
def addresses(installation: Installation, chromium: Browser, signed_in: Path) -> dict[str, str]:
    """Three transcribed files of one session: their transcripts by name."""
    context = chromium.new_context(storage_state=signed_in)
    person = Person(context.new_page(), installation.url)
    person.new_session("Three interviews")
    person.choose(*(file(name, other(RECORDING, n)) for n, name in enumerate(NAMES)))
    expect(person.page.locator("[data-list=new] li")).to_have_count(3)
    person.start(speakers="none")
    person.wait_ended()
    found = {}
    for row in person.page.locator(".file").all():
        link = row.get_by_role("link", name="Open transcript")
        name = row.locator("[data-field=name]").inner_text()
        found[next(known for known in NAMES if known[:5] == name[:5])] = installation.url + str(
            link.get_attribute("href")
        )
    context.close()
    return found


@pytest.fixture
def queue(page: Page, installation: Installation, addresses: dict[str, str]) -> dict[str, str]:
    """Those transcripts, with nobody on them."""
    page.goto(f"{installation.url}/")
    page.evaluate(RESET, list(addresses.values()))
    return addresses


def open_file(page: Page, address: str) -> Page:
    page.goto(address)
    saved(page)
    return page


def row(page: Page, name: str) -> Locator:
    return page.locator(".queue-row").filter(has=page.get_by_text(name, exact=True))


def present(page: Page) -> str:
    return page.locator(".queue-row [aria-current=page] .queue-name").inner_text()


def order(page: Page) -> list[str]:
    return page.locator(".queue-name").all_inner_texts()


@pytest.mark.smoke
def test_done_opens_the_next_file_until_all_are_done(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    expect(page.locator("[data-part=totals]")).to_contain_text("0 of 3 done")
    visited = []
    for left in (2, 1, 0):
        visited.append(present(page))
        address = page.url
        page.get_by_role("button", name="Done, next file").click()
        if left:
            page.wait_for_url(lambda url, before=address: url != before)
            saved(page)
            expect(page.locator("[data-part=totals]")).to_contain_text(f"{3 - left} of 3 done")
    expect(page.get_by_role("status").filter(has_text="All files in this session are done.")).to_be_visible()
    assert len(set(visited)) == 3
    expect(page.locator("[data-part=totals]")).to_have_text("3 of 3 done")
    expect(page.get_by_role("link", name="Next file")).to_be_hidden()
    expect(page.locator(".queue-row", has_text="done")).to_have_count(3)


def test_keys_alone_go_through_the_queue(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    first = page.url
    page.keyboard.press("Alt+PageDown")
    page.wait_for_url(lambda url: url != first)
    saved(page)
    second = page.url
    page.locator(".said").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Written. ")
    page.keyboard.press("Control+Shift+Enter")
    page.wait_for_url(lambda url: url != second)
    saved(page)
    expect(page.locator("[data-part=totals]")).to_contain_text("1 of 3 done")
    person = Person(page, "")
    done = page.locator(f'.queue-row a[href="{second.split("/", 3)[3].join(("/", ""))}"]')
    expect(done).to_contain_text("Done")
    person.tab_to(done)
    page.keyboard.press("Enter")
    page.wait_for_url(second)
    saved(page)
    expect(page.locator(".said").first).to_contain_text("Written. ")


def test_a_key_held_too_long_does_not_finish_the_next_file_too(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    held = {
        "code": "Enter",
        "key": "Enter",
        "ctrlKey": True,
        "shiftKey": True,
        "repeat": True,
        "bubbles": True,
    }
    page.evaluate("held => document.body.dispatchEvent(new KeyboardEvent('keydown', held))", held)
    page.keyboard.press("]")  # whatever was asked before is done by then
    expect(page.locator(".segment.is-current")).to_have_count(1)
    expect(page.get_by_label("Review", exact=True)).to_have_value("new")
    assert page.url == queue["Mill.ogg"]


def test_the_present_row_changes_with_what_is_done_here(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    mine = row(page, "Mill.ogg")
    expect(mine).to_contain_text("New")
    page.locator(".said").first.click()
    page.keyboard.type("Begun. ")
    expect(mine).to_contain_text("In review")
    expect(mine).to_contain_text("owner")
    expect(page.get_by_label("Reviewer for this file")).to_have_value("owner")
    expect(page.get_by_role("button", name="Assign to me")).to_be_hidden()
    page.get_by_label("Reviewer for this file").select_option("Unassigned")
    expect(page.get_by_role("button", name="Assign to me")).to_be_visible()
    expect(mine).not_to_contain_text("owner")
    saved(page)
    page.reload()
    saved(page)
    expect(page.get_by_label("Reviewer for this file")).to_have_value("")
    before = page.locator("[data-part=totals]").inner_text()
    page.get_by_label("Review", exact=True).select_option("done")
    expect(page.locator("[data-part=totals]")).to_contain_text("1 of 3 done")
    assert before != page.locator("[data-part=totals]").inner_text()


def test_a_second_tab_sees_who_reviews(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    other = open_file(page.context.new_page(), queue["Flood.ogg"])
    other.get_by_role("button", name="Assign to me").click()
    expect(other.get_by_role("button", name="Assign to me")).to_be_hidden()
    expect(other.get_by_label("Reviewer for this file")).to_be_focused()
    expect(row(other, "Flood.ogg")).to_contain_text("owner")
    saved(other)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as a look at this tab does
    expect(row(page, "Flood.ogg")).to_contain_text("owner")
    expect(row(page, "Flood.ogg")).to_contain_text("In review")


def test_the_queue_is_filtered_by_status(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    page.get_by_label("Review", exact=True).select_option("second_look")
    shown = page.get_by_label("Filter files")
    expect(shown.locator("option", has_text="Needs second review (1)")).to_have_count(1)
    shown.select_option("second_look")
    assert order(page) == ["Mill.ogg"]
    shown.select_option("done")
    expect(page.get_by_text("No matching files")).to_be_visible()
    shown.select_option("")
    expect(page.locator(".queue-row")).to_have_count(3)
    saved(page)


def test_offline_nobody_is_led_to_an_error_page(
    page: Page, queue: dict[str, str], troubles: list[str]
) -> None:
    open_file(page, queue["Mill.ogg"])
    page.context.set_offline(True)
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_role("status").filter(has_text="The server is not responding")).to_be_visible()
    assert page.url == queue["Mill.ogg"]
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    saved(page)
    page.keyboard.press("Control+Shift+Enter")
    page.wait_for_url(lambda url: url != queue["Mill.ogg"])
    saved(page)
    expect(row(page, "Mill.ogg")).to_contain_text("Done")
    troubles.clear()


def test_the_queue_is_there_without_a_script(
    open_page: Callable[..., Page], signed_in: Path, queue: dict[str, str]
) -> None:
    page = open_page(storage_state=signed_in, java_script_enabled=False)
    page.goto(queue["Mill.ogg"])
    files = page.get_by_role("navigation", name="Files in this session").get_by_role("link")
    expect(files).to_have_count(3)
    expect(page.get_by_role("button", name="Done, next file")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 800})
    expect(files.last).to_be_visible()
    page.get_by_role("link", name="Next file").click()
    page.wait_for_url(lambda url: url != queue["Mill.ogg"])
    expect(page.locator(".queue-row [aria-current=page]")).to_be_visible()


def test_hostile_names_are_shown_as_names(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    expect(page.locator(".queue-row")).to_have_count(3)
    assert any(name.startswith("<img src=x onerror=alert(1)> {{7|add:7}}") for name in order(page))
    assert page.locator("review-queue img").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone_the_text_comes_first(
    open_page: Callable[..., Page], signed_in: Path, queue: dict[str, str], theme: str
) -> None:
    size: dict[str, Any] = {"width": 390, "height": 800}
    page = open_page(storage_state=signed_in, viewport=size, has_touch=True, color_scheme=theme)
    open_file(page, queue["Mill.ogg"])
    expect(page.locator(".queue-list")).to_be_hidden()
    page.get_by_text(re.compile("Review queue")).first.click()
    expect(page.locator(".queue-row")).to_have_count(3)
    expect(row(page, "Flood.ogg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_session_page_shows_what_becomes_of_a_review(page: Page, queue: dict[str, str]) -> None:
    open_file(page, queue["Mill.ogg"])
    page.get_by_label("Review", exact=True).select_option("done")
    saved(page)
    page.get_by_role("link", name="Three interviews").click()
    person = Person(page, "")
    expect(person.row("Mill.ogg").locator("[data-field=review]")).to_have_text("Done")
    expect(person.row("Mill.ogg").locator("[data-field=reviewer]")).to_have_text("owner")
    expect(person.row("Flood.ogg").locator("[data-field=review]")).to_contain_text("New")


def test_a_recording_transcribed_again_is_one_piece_of_work(person: Person) -> None:
    page = person.page
    person.upload(RECORDING)
    person.start(speakers="none")
    person.wait_ended()
    job = page.locator(".job").first.get_attribute("data-id")
    page.evaluate(
        """async (job) => {
          const { postJson } = await import("/static/bulktranscribe/http.js");
          await postJson(`/api/jobs/${job}/rerun`);
        }""",
        job,
    )
    expect(page.locator(".job")).to_have_count(2)
    person.wait_ended()
    page.locator(".job").last.get_by_role("link", name="Open transcript").click()
    saved(page)
    older = page.url
    expect(page.locator("[data-part=totals]")).to_contain_text("0 of 1 done")
    expect(page.locator(".queue-row [aria-current=page]")).to_contain_text("older version, tiny.en")
    others = page.get_by_text("Other transcripts of this recording:")
    expect(others).to_contain_text("(newer)")
    page.get_by_role("button", name="Done, next file").click()
    page.wait_for_url(lambda url: url != older)
    saved(page)
    expect(others).to_contain_text("(older)")
    expect(page.locator("[data-part=totals]")).to_contain_text("0 of 1 done")
    page.get_by_role("button", name="Done, next file").click()
    expect(page.get_by_role("status").filter(has_text="All files in this session are done.")).to_be_visible()
    expect(page.locator("[data-part=totals]")).to_have_text("1 of 1 done")
    others.get_by_role("link").click()
    page.wait_for_url(older)
    saved(page)
