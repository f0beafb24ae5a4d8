"""Searching in the file: as one types, by keys alone, and right while the text changes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.person import Person
from tests.browser.review.transcript import saved
from tests.browser.test_look import SMALL_TARGETS, UNNAMED

pytestmark = pytest.mark.browser
MARKED = """name => [...CSS.highlights.get(name)].map(
  ({ startContainer: { data }, startOffset, endOffset }) => data.slice(startOffset, endOffset))"""


def field(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Find")


def find(page: Page, query: str) -> None:
    page.keyboard.press("Control+f")
    expect(field(page)).to_be_focused()
    page.keyboard.type(query)


def place(page: Page) -> Locator:
    return page.locator("transcript-search [data-field=place]")


def marked(page: Page) -> list[str]:
    """What is marked, the current place last."""
    page.evaluate("() => new Promise(requestAnimationFrame)")
    return [*page.evaluate(MARKED, "found"), *page.evaluate(MARKED, "found-current")]


def count_of(page: Page, word: str) -> int:
    return " ".join(page.locator(".said").all_text_contents()).lower().count(word)


def is_left_to_the_browser(page: Page, key: str) -> bool:
    page.evaluate(
        """() => addEventListener("keydown", function hear(event) {
          if (event.key === "Control") return;
          window.isLeft = !event.defaultPrevented;
          event.preventDefault();
          removeEventListener("keydown", hear);
        })"""
    )
    page.keyboard.press(key)
    return bool(page.evaluate("window.isLeft"))


@pytest.mark.smoke
def test_places_are_found_as_one_types_and_gone_through_by_keys(transcript: Page) -> None:
    count = count_of(transcript, "the")
    assert count > 3
    find(transcript, "THE")
    expect(place(transcript)).to_have_text(f"1 of {count}")
    assert [one.lower() for one in marked(transcript)] == ["the"] * len(marked(transcript))
    for key, number in (("Enter", 2), ("F3", 3), ("Control+g", 4), ("Shift+Enter", 3), ("Shift+F3", 2)):
        transcript.keyboard.press(key)
        expect(place(transcript)).to_have_text(f"{number} of {count}")
    transcript.get_by_role("button", name="Previous", exact=True).click()
    expect(place(transcript)).to_have_text(f"1 of {count}")
    transcript.keyboard.press("Shift+F3")
    expect(place(transcript)).to_have_text(f"{count} of {count}")
    expect(transcript.locator(".segment.is-found.is-current")).to_be_in_viewport()
    transcript.get_by_role("button", name="Next", exact=True).click()
    expect(place(transcript)).to_have_text(f"1 of {count}")


def test_what_is_not_there_is_said_and_nothing_is_marked(transcript: Page) -> None:
    find(transcript, "zeppelin")
    expect(place(transcript)).to_have_text("No matches")
    expect(field(transcript)).to_have_attribute("aria-invalid", "true")
    expect(transcript.get_by_role("button", name="Next", exact=True)).to_be_disabled()
    assert not marked(transcript)
    field(transcript).fill("")
    expect(place(transcript)).to_have_text("")


def test_case_and_whole_words_count_where_that_is_wanted(transcript: Page) -> None:
    find(transcript, "THE")
    transcript.get_by_label("Match case and accents").check()
    expect(place(transcript)).to_have_text("No matches")
    transcript.get_by_label("Match case and accents").uncheck()
    field(transcript).fill("th")
    expect(place(transcript)).to_contain_text(" of ")
    transcript.get_by_label("Whole words").check()
    expect(place(transcript)).to_have_text("No matches")


def test_escape_leads_back_to_the_caret_and_takes_the_marks_along(transcript: Page) -> None:
    said = transcript.locator(".said").nth(1)
    said.click()
    transcript.keyboard.press("Control+Home")
    for _ in range(3):
        transcript.keyboard.press("ArrowRight")
    find(transcript, "the")
    expect(place(transcript)).to_contain_text(" of ")
    transcript.keyboard.press("Escape")
    expect(said).to_be_focused()
    expect(transcript.get_by_role("search")).to_be_hidden()
    assert transcript.evaluate("getSelection().focusOffset") == 3
    assert not marked(transcript)
    assert not transcript.locator("audio").evaluate("audio => !audio.paused"), "Escape did not play"


def test_the_browsers_own_search_is_one_more_press_away(transcript: Page) -> None:
    assert is_left_to_the_browser(transcript, "F3"), "nothing is searched for yet"
    assert not is_left_to_the_browser(transcript, "Control+f")
    expect(field(transcript)).to_be_focused()
    assert is_left_to_the_browser(transcript, "Control+f")
    assert not is_left_to_the_browser(transcript, "F3")
    transcript.locator("transcript-search").get_by_role("button", name="Close").click()
    assert is_left_to_the_browser(transcript, "Control+g")
    transcript.get_by_label("New speaker name").focus()
    assert not is_left_to_the_browser(transcript, "Control+f"), "from a field it opens ours too"
    expect(field(transcript)).to_be_focused()
    transcript.keyboard.press("Escape")
    expect(transcript.get_by_label("New speaker name")).to_be_focused()


def test_what_is_selected_is_looked_for(transcript: Page) -> None:
    said = transcript.locator(".said").nth(1)
    said.dblclick(position={"x": 20, "y": 15})
    word = str(transcript.evaluate("getSelection().toString()")).strip()
    assert word
    transcript.keyboard.press("Control+f")
    assert field(transcript).input_value().strip() == word
    expect(place(transcript)).to_contain_text(" of ")


def test_places_are_right_while_the_text_is_written_here_and_elsewhere(fresh: Page) -> None:
    count = count_of(fresh, "the")
    find(fresh, "the")
    expect(place(fresh)).to_have_text(f"1 of {count}")
    first = fresh.locator(".said").first
    first.click()
    fresh.keyboard.press("Control+Home")
    fresh.keyboard.type("The ")
    fresh.keyboard.press("Shift+Enter")
    fresh.keyboard.type("thé ")
    expect(place(fresh)).to_have_text(f"3 of {count + 2}")
    assert {"The", "thé"} <= set(marked(fresh))
    saved(fresh)
    other = fresh.context.new_page()
    other.goto(fresh.url)
    saved(other)
    find(other, "the")
    expect(place(other)).to_have_text(f"1 of {count + 2}")
    other.keyboard.press("Alt+Enter")
    assert other.evaluate("getSelection().toString()") == "The"
    other.keyboard.type("A")
    saved(other)
    expect(place(fresh)).to_have_text(f"2 of {count + 1}")
    expect(first).to_have_text(re.compile("^A "))
    assert "thé" in marked(fresh)
    fresh.keyboard.press("Control+z")
    fresh.keyboard.press("Enter")
    expect(place(fresh)).to_have_text(re.compile(rf"of ({count}|{count + 1})$"))


def test_merged_the_same_places_are_found(transcript: Page) -> None:
    transcript.get_by_label("Merged view").check()
    count = count_of(transcript, "the")
    transcript.locator("body").click(position={"x": 5, "y": 5})
    find(transcript, "the")
    expect(place(transcript)).to_have_text(f"1 of {count}")
    assert [one.lower() for one in marked(transcript)] == ["the"] * len(marked(transcript))
    transcript.get_by_role("button", name="Previous", exact=True).click()
    expect(place(transcript)).to_have_text(f"{count} of {count}")
    expect(transcript.locator(".segment.is-found .said")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_bar_fits_and_stays_in_sight(transcript: Page, width: int, tmp_path: Path) -> None:
    transcript.set_viewport_size({"width": width, "height": 700})
    transcript.keyboard.press("Control+f")
    transcript.keyboard.type("the")
    transcript.keyboard.press("Shift+Enter")
    expect(field(transcript)).to_be_in_viewport()
    current = transcript.locator(".segment.is-found .said")
    expect(current).to_be_in_viewport()
    bar = transcript.get_by_role("search").bounding_box()
    box = current.bounding_box()
    assert bar and box and box["y"] + box["height"] > bar["y"] + bar["height"], "not behind the bar"
    assert transcript.evaluate("document.documentElement.scrollWidth") <= width
    assert not transcript.evaluate(UNNAMED)


def test_on_a_phone_the_bar_can_be_touched(page: Page, transcribed: Person) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(transcribed.transcript_url)
    saved(page)
    page.get_by_role("button", name="Find").click()
    expect(field(page)).to_be_focused()
    assert not page.evaluate(SMALL_TARGETS)
