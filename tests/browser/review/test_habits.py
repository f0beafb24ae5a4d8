"""What a person sets once: the size of the text, and that typing pauses the recording."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
TEXT = "document.querySelector('.said').computedStyleMap().get('font-size').value"
TIME = "document.querySelector('.time').computedStyleMap().get('font-size').value"
LISTEN = """() => {
  const audio = document.querySelector("audio");
  window.heard = [];
  for (const name of ["pause", "play"]) audio.addEventListener(name, () => heard.push([name, audio.currentTime]));
}"""


def test_the_text_is_made_larger_and_smaller_and_nothing_else(transcript: Page) -> None:
    times, size = (
        transcript.evaluate(TIME),
        transcript.get_by_role("group", name="Text size").get_by_role("status"),
    )
    assert transcript.evaluate(TEXT) == 18
    larger, smaller = (transcript.get_by_role("button", name=f"{how} text") for how in ("Larger", "Smaller"))
    for _ in range(9):
        larger.press("Enter")
    expect(size).to_have_text("28")
    assert transcript.evaluate(TEXT) == 28
    assert transcript.evaluate(TIME) == times
    other = transcript.context.new_page()
    other.goto(transcript.url)
    expect(other.locator("[data-field=saving]")).to_have_text("Saved")
    assert other.evaluate(TEXT) == 28, "kept"
    for _ in range(9):
        smaller.press("Enter")
    expect(larger).to_be_visible()
    assert transcript.evaluate(TEXT) == 14
    expect(other.get_by_role("group", name="Text size").get_by_role("status")).to_have_text("14")
    transcript.evaluate("localStorage.setItem('review.text-size', '<b>900')")
    transcript.reload()
    assert transcript.evaluate(TEXT) == 18


def test_typing_pauses_and_goes_on_one_second_back(transcript: Page) -> None:
    transcript.evaluate("document.querySelector('transcript-player').goTo(20)")
    transcript.locator(".said").first.click()
    transcript.evaluate("document.querySelector('transcript-player').goTo(20)")
    transcript.keyboard.press("Control+Space")
    expect(transcript.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    transcript.evaluate(LISTEN)
    transcript.keyboard.type("a")
    expect(transcript.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(transcript.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    (paused, at), (played, again) = transcript.evaluate("heard")
    assert [paused, played] == ["pause", "play"]
    assert again == pytest.approx(at - 1, abs=0.1)
    transcript.keyboard.press("Escape")
    transcript.keyboard.press("Control+z")  # for the others who read this transcript
    expect(transcript.locator("[data-field=saving]")).to_have_text("Saved")


def test_typing_pauses_nothing_where_that_is_not_wanted(transcript: Page) -> None:
    transcript.get_by_label("Pause while typing").uncheck()
    transcript.locator(".said").first.click()
    transcript.keyboard.press("Control+Space")
    transcript.keyboard.type("a")
    expect(transcript.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    transcript.keyboard.press("Escape")
    transcript.keyboard.press("Control+z")
    expect(transcript.locator("[data-field=saving]")).to_have_text("Saved")
