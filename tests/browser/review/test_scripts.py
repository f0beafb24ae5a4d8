"""Transcripts in scripts that are written from right to left, alone and mixed with others."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.installation import Installation
from tests.browser.person import Person

pytestmark = pytest.mark.browser
MAKE = """
from pathlib import Path
from benchmarks.long_transcript import make_transcript
from jobs.models import Session
from tests.browser.review.test_scripts import document
session = Session.objects.get(pk="{session}")
print("made", make_transcript(session, 1, Path("{folder}"), document("{language}")).pk)
"""
ARABIC = "مرحبا، كان ذلك في ربيع عام 1962."
HEBREW = "הטחנה נסגרה בשנת 1962, אמר John."
ENGLISH = "And who kept the ledger?"
LONG = " ".join(["ثم جاء أبي إلى البيت في المساء وقال إن الطاحونة لن تفتح بعد اليوم."] * 3)
TEXTS = (ARABIC, HEBREW, ENGLISH, LONG)
PLACES = """said => {
  const box = said.getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(said);
  const text = range.getBoundingClientRect();
  const bar = getComputedStyle(said);
  const time = said.parentElement.querySelector(".time").getBoundingClientRect();
  return { left: text.left - box.left, right: box.right - text.right, time: time.left < box.left ? "left" : "right",
    bar: bar.borderLeftWidth === "3px" ? "left" : bar.borderRightWidth === "3px" ? "right" : "none" };
}"""


def document(language: str) -> dict[str, object]:
    """A worker's document with one segment for each text."""
    segments = [
        {"start": 5.0 * n, "end": 5.0 * n + 4, "text": text, "words": [], "speaker": f"SPEAKER_0{n % 2}"}
        for n, text in enumerate(TEXTS)
    ]
    return {"language": language, "duration": 60.0, "segments": segments, "model": "base"}


def opened(page: Page, installation: Installation, session_url: str, folder: Path, language: str) -> Page:
    session = session_url.rstrip("/").rpartition("/")[2]
    code = MAKE.format(session=session, folder=folder, language=language)
    made = re.search(r"made (\S+)", installation.manage("shell", "-c", code))
    assert made
    page.goto(f"{installation.url}/transcripts/{made[1]}/")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    return page


def side(said: Locator) -> str:
    """The side at which a text begins."""
    places = said.evaluate(PLACES)
    return "left" if places["left"] < places["right"] else "right"


@pytest.mark.parametrize(("language", "gutter"), [("ar", "right"), ("en", "left")])
def test_each_segment_begins_at_its_own_side_and_the_bar_stays_at_the_gutter(
    language: str, gutter: str, person: Person, installation: Installation, tmp_path: Path
) -> None:
    page = opened(person.page, installation, person.session_url, tmp_path, language)
    said = page.locator(".said")
    assert [side(said.nth(n)) for n in range(3)] == ["right", "right", "left"]
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        bars = [said.nth(n).evaluate(PLACES)["bar"] for n in range(4)]
        assert bars == [gutter] * 4
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert {said.nth(n).evaluate(PLACES)["time"] for n in range(4)} == {gutter}
    page.get_by_label("Merged view").check()
    line = page.locator(".segment").first.evaluate("row => row.getBoundingClientRect().toJSON()")
    column = page.locator(".transcript").evaluate("list => list.getBoundingClientRect().toJSON()")
    assert abs(line[gutter] - column[gutter]) < 8
    page.screenshot(path=f"/tmp/rig/rtl-{language}-merged.png")


def test_hebrew_is_written_and_split_where_the_caret_is(
    person: Person, installation: Installation, tmp_path: Path
) -> None:
    page = opened(person.page, installation, person.session_url, tmp_path, "he")
    said = page.locator(".said")
    name = page.get_by_label("Name of SPEAKER_00")
    name.fill("רות כהן")
    name.press("Enter")
    expect(page.locator(".speaker").first).to_have_text("רות כהן")
    said.nth(1).click()
    page.keyboard.press("Control+Home")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")  # on, in Hebrew
    page.keyboard.type("הישנה ")
    expect(said.nth(1)).to_have_text("הטחנה הישנה נסגרה בשנת 1962, אמר John.")
    page.keyboard.press("Enter")
    expect(said.nth(1)).to_have_text("הטחנה הישנה")
    expect(said.nth(2)).to_have_text("נסגרה בשנת 1962, אמר John.")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    page.reload()
    expect(said.nth(2)).to_have_text("נסגרה בשנת 1962, אמר John.")
