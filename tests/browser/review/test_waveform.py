"""The waveform over the player: who speaks when, to look at and to click."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.contract.installation import wait_for

pytestmark = pytest.mark.browser

# The colours of the waveform's pixels, and of the speakers in the page, as `rgb` lists.
SEEN = """wave => {
  const canvas = [...wave.querySelector("[data-field=wave] > div").shadowRoot.querySelectorAll("canvas")][0];
  const { data } = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1);
  const colours = Array.from({ length: canvas.width }, (_, x) => [...data.slice(4 * x, 4 * x + 3)].join());
  const swatches = [...wave.querySelectorAll("[data-swatch]")].map((i) =>
    getComputedStyle(i).color.match(/\\d+/g).slice(0, 3).join());
  return { columns: colours.map((colour) => swatches.indexOf(colour)), swatches };
}"""

CUT_OFF = """wave => getComputedStyle(
  wave.querySelector("[data-field=wave] > div").shadowRoot.querySelector(".canvases")).clipPath"""


def columns(wave: Locator) -> list[int]:
    """Whose colour each column has, by number; 0 is nobody's."""
    found: list[int] = wave.evaluate(SEEN)["columns"]
    return found


def test_the_waveform_shows_who_speaks_seeks_where_it_is_clicked_and_follows_the_speakers(
    fresh: Page,
) -> None:
    page = fresh
    wave = page.locator("wave-form")
    expect(wave).to_be_visible(
        timeout=4 * PATIENCE_MS
    )  # the controller looks at the recording in its own time
    expect(wave.locator("canvas").first).to_be_attached()
    wait_for(lambda: {1, 2} <= set(columns(wave)), 30, "both speakers have their colour")
    box = wave.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("[data-field=at]")).to_have_text("0:24")
    assert page.locator("audio").evaluate("audio => audio.paused"), "it goes there, it does not play"
    assert wave.evaluate(CUT_OFF) == "none", "what has been played stays in sight"
    give_everything_to_one(page)
    wait_for(lambda: len(set(columns(wave)) - {0}) == 1, 30, "all of it has one colour")
    page.get_by_role("button", name="Dark theme").click()
    wait_for(lambda: -1 not in columns(wave), 30, "it has the colours of the theme")


def give_everything_to_one(page: Page) -> None:
    page.locator("speaker-list select").first.select_option(index=1)
    expect(page.locator("speaker-list li")).to_have_count(1)


def test_on_a_phone_the_waveform_leaves_the_text_its_room(fresh: Page) -> None:
    fresh.set_viewport_size({"width": 390, "height": 844})
    wave = fresh.locator("wave-form")
    expect(wave).to_be_visible(timeout=4 * PATIENCE_MS)
    box, player = wave.bounding_box(), fresh.locator(".player").bounding_box()
    assert box is not None and player is not None
    assert box["height"] < 40 and box["width"] > 300
    assert player["height"] < 844 / 3
    assert fresh.evaluate("document.documentElement.scrollWidth") <= 390
