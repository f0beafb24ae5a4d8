"""The page before the state of its transcript is there: what is done in that second counts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.person import Person, sound_of
from tests.browser.review.transcript import OTHERS_EDIT

pytestmark = pytest.mark.browser


@contextmanager
def loading(page: Page, url: str) -> Iterator[None]:
    """Open a transcript; its state comes when the block ends."""
    held: list[Route] = []
    is_state = "**/api/transcripts/" + url.rstrip("/").rpartition("/")[2]
    page.route(is_state, lambda route: held.append(route))
    page.goto(url)
    page.wait_for_function("() => customElements.get('transcript-page')")
    yield
    expect(page.locator("[data-field=saving]")).to_have_text("")
    for route in held:
        route.continue_()
    page.unroute(is_state)


def test_what_is_written_before_the_state_comes_stays_with_the_caret(page: Page, transcribed: Person) -> None:
    said = page.locator(".said").nth(3)
    with loading(page, transcribed.transcript_url):
        before = said.inner_text()
        said.click()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.keyboard.type(" Early,")
        expect(said).to_have_text(f"{before} Early,")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    page.keyboard.type(" and later.")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    page.reload()
    expect(said).to_have_text(f"{before} Early, and later.")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    for undone in (f"{before} Early,", before):
        page.keyboard.press("Control+z")
        expect(said).to_have_text(undone)
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")


def test_one_can_listen_before_the_state_comes(page: Page, transcribed: Person) -> None:
    with loading(page, transcribed.transcript_url):
        page.locator(".time").nth(4).click()
        page.wait_for_function("() => document.querySelector('audio').currentTime > 1")
        assert sound_of(page)["isPlaying"]


def test_an_early_text_never_overwrites_what_somebody_else_wrote(
    page: Page, transcribed: Person, troubles: list[str]
) -> None:
    said = page.locator(".said").nth(5)
    with loading(page, transcribed.transcript_url):
        said.click()
        page.keyboard.type("mine ")
        url = page.locator("transcript-page").get_attribute("data-url")
        segment = page.locator(".segment").nth(5).get_attribute("data-key")
        other = page.context.new_page()
        other.goto(transcribed.session_url)
        assert other.evaluate(OTHERS_EDIT, {"url": url, "segment": segment}) == 200
    expect(page.locator("[data-field=clash]")).to_be_visible()
    expect(page.locator("[data-field=mine]")).to_contain_text("mine ")
    expect(page.locator("[data-field=theirs]")).to_contain_text("theirs ")
    page.get_by_role("button", name="Use theirs").click()
    expect(said).to_contain_text("theirs ")
    troubles.clear()  # the browser tells of a 409
