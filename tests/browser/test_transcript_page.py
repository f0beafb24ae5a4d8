"""The transcript page: text and player together, by mouse and by keys."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk, sound_of

pytestmark = pytest.mark.browser


@pytest.fixture
def transcript(page: Page, transcribed: Desk) -> Page:
    page.goto(transcribed.transcript_url)
    return page


def seconds_after(page: Page, key: str) -> float:
    page.keyboard.press(key)
    return float(sound_of(page)["time"])


def test_keys_skip_and_stop(transcript: Page) -> None:
    transcript.get_by_label("Position").evaluate(
        "slider => { slider.value = 20; slider.dispatchEvent(new Event('input')) }"
    )
    assert seconds_after(transcript, "Alt+ArrowRight") == pytest.approx(22)
    assert seconds_after(transcript, "Alt+ArrowLeft") == pytest.approx(20)
    assert seconds_after(transcript, "Alt+Shift+ArrowRight") == pytest.approx(30)
    assert seconds_after(transcript, "Alt+Shift+ArrowLeft") == pytest.approx(20)
    for key in ("Space", "Escape", "Control+Space"):
        transcript.keyboard.press(key)
        expect(transcript.get_by_role("button", name="Pause")).to_be_visible()
        transcript.keyboard.press(key)
        expect(transcript.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_space_is_left_to_a_button_that_has_the_focus(transcript: Page) -> None:
    follow = transcript.get_by_label("Follow")
    follow.focus()
    transcript.keyboard.press("Space")
    expect(follow).not_to_be_checked()
    assert not sound_of(transcript)["isPlaying"]


def test_the_time_of_a_passage_plays_from_there(transcript: Page) -> None:
    passage = transcript.locator(".segment").nth(4)
    passage.locator(".time").click()
    start = float(passage.get_attribute("data-start") or "nan")
    expect(passage).to_contain_class("is-current")
    assert start - 0.1 <= sound_of(transcript)["time"] < start + 3


def test_speed_is_kept_for_the_next_recording(transcript: Page) -> None:
    transcript.get_by_label("Speed").select_option("1.75")
    transcript.reload()
    expect(transcript.get_by_label("Speed")).to_have_value("1.75")
    transcript.keyboard.press("Space")
    assert transcript.locator("audio").evaluate("audio => audio.playbackRate") == 1.75


def test_scrolling_away_offers_a_way_back(transcript: Page) -> None:
    transcript.set_viewport_size({"width": 800, "height": 420})
    transcript.locator(".word").first.click()
    transcript.mouse.move(400, 100)
    transcript.mouse.wheel(0, 600)
    back = transcript.get_by_role("button", name="Back to the current word")
    back.click()
    expect(back).to_be_hidden()
    expect(transcript.locator(".segment.is-current")).to_be_in_viewport()


def test_the_player_follows_the_text_only_by_range(transcript: Page) -> None:
    with transcript.expect_response(lambda answer: answer.url.endswith("/media") and answer.status == 206):
        transcript.reload()


def test_a_recording_that_the_browser_cannot_play_says_so(
    page: Page, transcribed: Desk, troubles: list[str]
) -> None:
    page.route(
        "**/media", lambda route: route.fulfill(status=200, content_type="audio/x-ms-wma", body="no sound")
    )
    page.goto(transcribed.transcript_url)
    expect(page.get_by_text("Your browser cannot play this recording")).to_be_visible()
    expect(page.locator(".word").first).to_be_visible()
    troubles.clear()
