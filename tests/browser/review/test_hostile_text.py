"""Whatever is typed, named or uploaded is text: nothing runs, nothing is refused in silence, offsets stay right."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.review.transcript import saved, texts

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}</script><script>alert(2)</script>\u202eevil\u2066 -->"
WIDE = "e\u0301🎙👩\u200d👩\u200d👧 مرحبا"  # a combining mark, 4-byte characters, a joined family
WATCH = """() => {
  window.reports = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective }) => reports.push(violatedDirective));
}"""


@pytest.fixture
def fresh(page: Page, again: Callable[..., str], troubles: list[str]) -> Page:
    """A transcript of a file with a hostile name."""

    def hear(dialog: Dialog) -> None:
        troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    page.add_init_script(f"({WATCH})()")
    page.goto(again("<img src=x onerror=alert(3)>{{7*7}}.ogg"))
    saved(page)
    return page


def nothing_ran(page: Page) -> None:
    assert page.evaluate("reports") == []
    assert page.locator("main img, main script, .said > *, .speaker > *").count() == 0


def caret_at(page: Page, number: int, units: int) -> None:
    page.locator(".said").nth(number).click()
    page.evaluate(
        "([n, units]) => getSelection().collapse(document.querySelectorAll('.said')[n].firstChild, units)",
        [number, units],
    )


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          document.activeElement.dispatchEvent(event);
        }""",
        text,
    )


def act(page: Page, edit: dict[str, Any]) -> None:
    assert page.evaluate("edit => document.querySelector('transcript-page').act([edit])", edit)


def downloaded(page: Page, label: str) -> str:
    page.locator("details.downloads").evaluate("details => { details.open = true }")
    with page.expect_download() as coming:
        page.get_by_role("link", name=label, exact=True).click()
    return Path(coming.value.path()).read_text()


def test_hostile_text_and_names_are_text_on_the_page_and_in_every_file(fresh: Page) -> None:
    caret_at(fresh, 0, 0)
    fresh.keyboard.insert_text(HOSTILE + " ")
    caret_at(fresh, 1, 0)
    paste(fresh, HOSTILE + "\r\n\r\n1\r\n00:00:00,000 --> 00:00:09,000 ")
    name = fresh.locator("speaker-list [data-field=name]").first
    name.fill(HOSTILE)
    name.press("Tab")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith(HOSTILE)
    assert texts(fresh)[1].startswith(HOSTILE)
    assert HOSTILE in fresh.locator(".speaker").all_text_contents()
    expect(fresh.locator("h1")).to_contain_text("<img src=x onerror=alert(3)>{{7*7}}")
    nothing_ran(fresh)
    for label in ("Text", "JSON", "Markdown"):
        assert "{{7*7}}</script>" in downloaded(fresh, label)
    vtt = downloaded(fresh, "Subtitles (WebVTT)")
    assert "<img" not in vtt and "<script" not in vtt
    for made in (vtt, downloaded(fresh, "Subtitles (SRT)")):
        stamps = [line for line in made.splitlines() if "-->" in line]
        assert all(line[:2].isdigit() for line in stamps), "a cue cannot be forged"


def test_offsets_are_right_among_wide_and_combining_characters(fresh: Page) -> None:
    caret_at(fresh, 1, 0)
    fresh.keyboard.insert_text(f"{WIDE} behind ")
    saved(fresh)
    before = texts(fresh)
    units = fresh.evaluate("text => text.length", f"{WIDE} ")
    caret_at(fresh, 1, units)
    fresh.keyboard.press("Enter")
    assert texts(fresh)[1] == WIDE
    assert texts(fresh)[2].startswith("behind ")
    fresh.keyboard.type("Here. ")
    assert texts(fresh)[2].startswith("Here. behind ")
    fresh.keyboard.press("Control+Home")
    fresh.keyboard.press("Backspace")
    assert texts(fresh)[1].startswith(f"{WIDE} Here. behind ")
    fresh.keyboard.insert_text("|")
    assert texts(fresh)[1].startswith(f"{WIDE} |Here. behind "), "the caret is at the seam"
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert [texts(fresh)[0], *texts(fresh)[2:]] == [before[0], *before[2:]]
    assert texts(fresh)[1].startswith(f"{WIDE} |Here. behind ")


def test_half_characters_and_control_characters_cost_no_text(fresh: Page) -> None:
    caret_at(fresh, 0, 0)
    fresh.evaluate("() => document.execCommand('insertText', false, 'One \\ud83d')")
    fresh.keyboard.type("two ")
    saved(fresh)
    expect(fresh.locator("[data-field=trouble]")).to_have_text("")
    paste(fresh, "three\x07 \x1b[31m\x00four ")
    saved(fresh)
    fresh.locator(".said").nth(2).click()
    assert texts(fresh)[0].startswith("One two three")
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith("One two three")
    assert "[31mfour " in texts(fresh)[0]


def test_the_halves_of_a_character_that_come_one_by_one_are_one(fresh: Page) -> None:
    caret_at(fresh, 0, 0)
    for half in ("\\ud83c", "\\udf99"):
        fresh.evaluate(f"() => document.execCommand('insertText', false, '{half}')")
    saved(fresh)
    assert texts(fresh)[0].startswith("🎙")
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith("🎙")


def test_a_word_of_a_hundred_thousand_characters(fresh: Page) -> None:
    fresh.set_viewport_size({"width": 390, "height": 800})
    key = fresh.locator(".segment").first.get_attribute("data-key")
    word = "w" * 100_000
    act(fresh, {"kind": "SetText", "segment": key, "text": word})
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0] == word
    assert fresh.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert word in downloaded(fresh, "Subtitles (SRT)")
