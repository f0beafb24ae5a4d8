"""An hour of talk: the rows lie in blocks, which nobody notices."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.person import Person

pytestmark = pytest.mark.browser
ROWS = 1200
MAKE = """
from pathlib import Path
from benchmarks.long_transcript import make_transcript
from jobs.models import Session
print("made", make_transcript(Session.objects.get(pk="{session}"), 60, Path("{folder}")).pk)
"""
IN_ORDER = """() => {
  const shown = [...document.querySelectorAll(".segment")].map((row) => row.dataset.key);
  const { segments } = document.querySelector("transcript-page").store.state;
  return shown.join() === [...segments].map(({ key }) => key).join();
}"""
LENGTHS = "() => [...document.querySelectorAll('.virtual-block')].map((block) => block.childElementCount)"
MARKED = "() => CSS.highlights.get('doubtful').size"


@pytest.fixture
def hour(person: Person, installation: Installation, tmp_path: Path) -> Page:
    session = person.session_url.rstrip("/").rpartition("/")[2]
    made = re.search(
        r"made (\S+)", installation.manage("shell", "-c", MAKE.format(session=session, folder=tmp_path))
    )
    assert made
    person.page.goto(f"{installation.url}/transcripts/{made[1]}/")
    expect(person.page.locator("[data-field=saving]")).to_have_text("Saved")
    expect(person.page.locator(".segment")).to_have_count(ROWS)
    return person.page


def test_all_rows_are_there_and_only_those_near_the_window_are_marked(hour: Page) -> None:
    lengths = hour.evaluate(LENGTHS)
    assert sum(lengths) == ROWS and max(lengths) <= 200 and len(lengths) >= 6
    hour.wait_for_function(f"() => ({MARKED})() > 0")
    assert hour.evaluate(MARKED) < 800  # of 1,700 words
    assert hour.evaluate("window.find('place1190')")
    hour.locator(".said", has_text="place1190").scroll_into_view_if_needed()
    hour.wait_for_function(f"() => ({MARKED})() > 0")
    assert hour.evaluate(MARKED) < 800


def test_rows_keep_their_order_where_one_block_ends_and_the_next_begins(hour: Page) -> None:
    last = hour.evaluate(LENGTHS)[0] - 1
    for number in (last, last + 2):  # the last of the first, and the first of the second behind the new one
        hour.locator(".said").nth(number).click()
        hour.keyboard.press("Home")
        for _ in range(4):
            hour.keyboard.press("ArrowRight")
        hour.keyboard.press("Enter")
        assert hour.evaluate(IN_ORDER)
    expect(hour.locator(".segment")).to_have_count(ROWS + 2)
    hour.keyboard.press("Backspace")
    expect(hour.locator(".segment")).to_have_count(ROWS + 1)
    hour.keyboard.press("Control+z")
    hour.keyboard.press("Control+z")
    assert hour.evaluate(IN_ORDER)
    expect(hour.locator("[data-field=saving]")).to_have_text("Saved")
    hour.reload()
    expect(hour.locator("[data-field=saving]")).to_have_text("Saved")
    expect(hour.locator(".segment")).to_have_count(ROWS + 1)
    assert hour.evaluate(IN_ORDER)
