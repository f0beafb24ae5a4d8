"""The pages on a desktop and on a phone, by day and by night. UPDATE_SCREENSHOTS=1 keeps the pictures."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RECORDING
from tests.browser.installation import Installation
from tests.browser.person import JOB_SECONDS, NOT_SOUND, Person, file, other

pytestmark = pytest.mark.browser
CLEAR = "rgba(0, 0, 0, 0)"
SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, summary")]
  .filter((element) => element.checkVisibility() && !element.classList.contains("skip-link"))
  .map((element) => [element, (element.closest("label") ?? element).getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.height < 43.5 || box.width < 43.5))
  .map(([element]) => element.outerHTML.slice(0, 120))"""
UNNAMED = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), select, progress, audio")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !element.textContent.trim() && !element.ariaLabel && !element.labels?.length
    && !element.getAttribute("aria-labelledby"))
  .map((element) => element.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_can_be_touched(
    theme: str,
    width: int,
    open_page: Callable[..., Page],
    installation: Installation,
    transcribed: Person,
    signed_in: Path,
    picture: Callable[[Page, str], None],
) -> None:
    size = {"width": width, "height": 800}
    options: dict[str, Any] = {"viewport": size, "color_scheme": theme, "has_touch": width < 500}
    stranger, owner = open_page(**options), open_page(storage_state=signed_in, **options)
    for page, address, name in (
        (stranger, f"{installation.url}/", "sign-in"),
        (stranger, f"{installation.url}/accounts/sign-up/", "sign-up"),
        (owner, f"{installation.url}/", "sessions"),
        (owner, transcribed.session_url, "session-ended"),
        (owner, transcribed.transcript_url, "transcript"),
    ):
        page.goto(address)
        if name == "transcript":
            expect(page.locator("[data-field=saving]")).to_have_text("Saved")
            page.locator(".segment", has_text="wheel").first.locator(".time").click()
            page.wait_for_function("() => CSS.highlights.get('spoken')?.size > 0")
            page.keyboard.press("Escape")
            if width < 500:  # the text, not the tools above it
                page.locator(".segment.is-current").evaluate("row => row.scrollIntoView({ block: 'center' })")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is too wide"
        assert not page.evaluate(UNNAMED), f"{name}: controls without a name"
        if width < 500:
            assert not page.evaluate(SMALL_TARGETS), f"{name}: too small for a thumb"
        if name in ("sessions", "transcript"):
            picture(page, picture_name(name, theme, width))


def test_a_running_file_says_how_far_it_is(person: Person, picture: Callable[[Page, str], None]) -> None:
    page = person.page
    person.upload(
        file("2019-03 Mill.ogg", other(RECORDING, 0)),
        file("2019-04 Ledger.mp3", NOT_SOUND),
        file("2019-05 Flood.ogg", other(RECORDING, 1)),
        file("2019-06 Harvest.ogg", other(RECORDING, 2)),
    )
    person.start(model="base")
    expect(page.locator(".file[data-status=complete]").first).to_be_visible(timeout=JOB_SECONDS * 1000)
    how_far = page.locator(
        ".file[data-status=running]", has_text=re.compile(r"0:\d\d of 0:\d\d · \d.*× · about")
    )
    expect(how_far.first).to_contain_text("Transcribing", timeout=JOB_SECONDS * 1000)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            picture(page, picture_name("session", theme, width))
    person.wait_ended()
    expect(page.locator("[data-field=totals]")).to_contain_text("3 transcribed")


def picture_name(name: str, theme: str, width: int) -> str:
    parts = [name, "dark" if theme == "dark" else "", "narrow" if width < 500 else ""]
    return "-".join(part for part in parts if part)


def test_a_theme_chosen_once_is_kept_and_never_flashes(page: Page, installation: Installation) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{installation.url}/")
    expect(page.get_by_role("button", name="Dark theme")).to_have_css("background-color", CLEAR)
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    night = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert night != paper
    page.mouse.move(0, 400)
    expect(page.get_by_role("button", name="Dark theme")).not_to_have_css("background-color", CLEAR)
    page.reload(wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == night
    expect(page.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")
