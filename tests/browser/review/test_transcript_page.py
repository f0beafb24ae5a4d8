"""The transcript page: text and player together, by mouse and by keys; what is written stays."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.person import Person, sound_of
from tests.browser.review.transcript import caret_at, saved, texts

pytestmark = pytest.mark.browser


def seconds_after(page: Page, key: str) -> float:
    page.keyboard.press(key)
    return float(sound_of(page)["time"])


# Listening -------------------------------------------------------------------------------------------


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
        expect(transcript.get_by_role("button", name="Pause", exact=True)).to_be_visible()
        transcript.keyboard.press(key)
        expect(transcript.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_space_is_left_to_a_button_that_has_the_focus(transcript: Page) -> None:
    follow = transcript.get_by_label("Follow")
    follow.focus()
    transcript.keyboard.press("Space")
    expect(follow).not_to_be_checked()
    assert not sound_of(transcript)["isPlaying"]


def test_the_time_of_a_segment_plays_from_there(transcript: Page) -> None:
    segment = transcript.locator(".segment").nth(4)
    segment.locator(".time").click()
    expect(segment).to_contain_class("is-current")
    shown = segment.locator(".time").inner_text()
    minutes, seconds = shown.split(":")
    start = int(minutes) * 60 + int(seconds)
    assert start - 0.1 <= sound_of(transcript)["time"] < start + 4


def test_a_click_into_the_text_goes_to_that_word_and_the_spoken_word_is_marked(transcript: Page) -> None:
    transcript.locator(".said").nth(3).click()
    assert sound_of(transcript)["time"] > 5
    marked = """() => [...CSS.highlights.get('spoken')].map(
      ({ startContainer: { data }, startOffset, endOffset }) => data.slice(startOffset, endOffset))"""
    assert transcript.evaluate(marked), "a word is tinted"
    transcript.keyboard.press("Escape")
    before = transcript.evaluate(marked)
    transcript.wait_for_function(f"before => ({marked})().join() !== before.join()", arg=before)


def test_speed_and_volume_are_kept_for_the_next_recording(transcript: Page) -> None:
    transcript.get_by_label("Speed").select_option("1.75")
    transcript.get_by_label("Volume").fill("0.4")
    transcript.reload()
    expect(transcript.get_by_label("Speed")).to_have_value("1.75")
    expect(transcript.get_by_label("Volume")).to_have_value("0.4")
    saved(transcript)
    transcript.keyboard.press("Space")
    assert transcript.locator("audio").evaluate("audio => audio.playbackRate") == 1.75
    assert transcript.locator("audio").evaluate("audio => audio.volume") == 0.4


def test_scrolling_away_offers_a_way_back(transcript: Page) -> None:
    transcript.set_viewport_size({"width": 800, "height": 420})
    transcript.locator(".time").first.click()
    transcript.mouse.move(400, 100)
    transcript.mouse.wheel(0, 600)
    back = transcript.get_by_role("button", name="Jump to current word")
    back.click()
    expect(back).to_be_hidden()
    expect(transcript.locator(".segment.is-current")).to_be_in_viewport()


def test_the_player_follows_the_text_only_by_range(transcript: Page) -> None:
    with transcript.expect_response(lambda answer: answer.url.endswith("/media") and answer.status == 206):
        transcript.reload()


def test_a_recording_that_the_browser_cannot_play_says_so(
    page: Page, transcribed: Person, troubles: list[str]
) -> None:
    page.route(
        "**/media", lambda route: route.fulfill(status=200, content_type="audio/x-ms-wma", body="no sound")
    )
    page.goto(transcribed.transcript_url)
    expect(page.get_by_text("Your browser cannot play this recording")).to_be_visible()
    expect(page.locator(".said").first).to_be_visible()
    troubles.clear()


# Writing ---------------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_a_sentence_is_corrected_and_is_so_after_a_reload_and_in_the_download(fresh: Page) -> None:
    caret_at(fresh, 1, 0)
    fresh.keyboard.type("Oh, 🎙 مرحبا ")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[1].startswith("Oh, 🎙 مرحبا Good morning")
    fresh.get_by_text("Download", exact=True).click()
    with fresh.expect_download() as coming:
        fresh.get_by_role("link", name="Subtitles (SRT)").click()
    assert "Oh, 🎙 مرحبا Good" in Path(coming.value.path()).read_text()


def test_an_interjection_is_split_off_and_given_to_another_speaker(fresh: Page) -> None:
    before = texts(fresh)
    caret_at(fresh, 1, 13)
    fresh.keyboard.press("Enter")
    saved(fresh)
    assert texts(fresh)[1:3] == [before[1][:12], before[1][13:]] or len(texts(fresh)) == len(before) + 1
    fresh.keyboard.press("Alt+1")
    expect(fresh.locator(".segment").nth(2).locator(".speaker")).to_have_text("SPEAKER_00")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    expect(fresh.locator(".segment").nth(2).locator(".speaker")).to_have_text("SPEAKER_00")
    assert len(texts(fresh)) == len(before) + 1


def test_steps_are_undone_and_done_again(fresh: Page) -> None:
    before = texts(fresh)
    caret_at(fresh, 2, 4)
    fresh.keyboard.press("Enter")
    fresh.keyboard.press("Backspace")
    fresh.keyboard.press("Alt+1")
    saved(fresh)
    for _ in range(3):
        fresh.keyboard.press("Control+z")
    saved(fresh)
    assert texts(fresh) == before
    fresh.keyboard.press("Control+Shift+z")
    saved(fresh)
    assert len(texts(fresh)) == len(before) + 1
    fresh.reload()
    saved(fresh)
    assert len(texts(fresh)) == len(before) + 1


def test_speakers_are_renamed_added_and_merged(fresh: Page) -> None:
    names = fresh.locator("speaker-list [data-field=name]")
    expect(names).to_have_count(2)
    names.first.fill("Anna")
    names.first.press("Tab")
    expect(fresh.locator(".speaker", has_text="Anna").first).to_be_visible()
    fresh.get_by_label("New speaker name").fill("Jonas")
    fresh.get_by_role("button", name="Add", exact=True).click()
    expect(names).to_have_count(3)
    fresh.get_by_label("Merge SPEAKER_01 with another speaker").select_option(label="Jonas")
    expect(names).to_have_count(2)
    expect(fresh.locator(".speaker", has_text="Jonas").first).to_be_visible()
    saved(fresh)
    fresh.reload()
    saved(fresh)
    expect(fresh.locator(".speaker", has_text="SPEAKER_01")).to_have_count(0)
    expect(fresh.locator(".speaker", has_text="Jonas").first).to_be_visible()


def test_what_was_written_offline_is_there_when_the_page_is_opened_again(
    fresh: Page, troubles: list[str]
) -> None:
    context, address = fresh.context, fresh.url
    context.set_offline(True)
    caret_at(fresh, 0, 0)
    fresh.keyboard.type("Offline. ")
    expect(fresh.locator("[data-field=saving]")).to_have_text(
        re.compile(r"Offline: \d+ changes? saved in this browser")
    )
    fresh.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(address)
    saved(again)
    assert texts(again)[0].startswith("Offline. ")
    third = context.new_page()
    third.goto(address)
    saved(third)
    assert texts(third)[0].startswith("Offline. "), "the server has it"
    troubles.clear()


def test_what_is_written_signed_out_is_sent_after_signing_in_again_in_another_tab(
    open_page: Callable[..., Page], installation: Installation, transcribed: Person, troubles: list[str]
) -> None:
    mine = open_page()
    sign_in(mine, installation)
    mine.goto(transcribed.transcript_url)
    saved(mine)
    other = mine.context.new_page()
    other.goto(f"{installation.url}/")
    other.get_by_role("button", name=re.compile("^Sign out")).click()
    caret_at(mine, 0, 0)
    mine.keyboard.type("Kept. ")
    expect(mine.locator("[data-field=saving]")).to_contain_text("You are signed out")
    sign_in(other, installation)
    mine.evaluate("dispatchEvent(new Event('online'))")  # as a look at this tab does
    saved(mine)
    mine.reload()
    saved(mine)
    assert texts(mine)[0].startswith("Kept. ")
    mine.keyboard.press("Control+z")  # for the others who read this transcript
    expect(mine.locator(".said").first).not_to_have_text(re.compile("^Kept"))
    saved(mine)
    troubles.clear()


def sign_in(page: Page, installation: Installation) -> None:
    page.goto(installation.sign_in_link())
    page.get_by_role("button", name="Sign in as owner").click()
    page.wait_for_url(f"{installation.url}/")


def test_fields_keep_their_own_undo_and_the_slider_its_steps(fresh: Page) -> None:
    caret_at(fresh, 0, 0)
    fresh.keyboard.type("Stays. ")
    saved(fresh)
    field = fresh.get_by_label("New speaker name")
    field.click()
    fresh.keyboard.type("Maria")
    fresh.keyboard.press("Control+z")
    assert texts(fresh)[0].startswith("Stays. ")
    slider = fresh.get_by_label("Position")
    slider.focus()
    slider.evaluate("slider => { slider.value = 20; slider.dispatchEvent(new Event('input')) }")
    assert seconds_after(fresh, "ArrowRight") == pytest.approx(22)
    assert seconds_after(fresh, "Shift+ArrowLeft") == pytest.approx(12)


def test_tab_leads_into_the_text_and_enter_opens_the_segment(fresh: Page) -> None:
    Person(fresh, "").tab_to(fresh.locator(".said").first)
    count = fresh.locator(".said").count()
    fresh.keyboard.press("Enter")
    fresh.keyboard.type("Opened. ")
    saved(fresh)
    assert "Opened. " in texts(fresh)[0]
    assert fresh.locator(".said").count() == count


def test_two_tabs_see_what_the_other_writes(fresh: Page) -> None:
    other = fresh.context.new_page()
    other.goto(fresh.url)
    saved(other)
    caret_at(fresh, 0, 0)
    fresh.keyboard.type("Seen. ")
    saved(fresh)
    expect(other.locator(".said").first).to_have_text(re.compile("^Seen. "))


def test_flagged_segments_are_found_and_found_fine_and_the_file_is_done(fresh: Page) -> None:
    count = fresh.locator(".segment.is-doubtful").count()
    if count:
        expect(fresh.locator("[data-field=doubtful]")).to_contain_text(f"{count} flagged")
        fresh.keyboard.press("Alt+n")
        expect(fresh.locator(".segment.is-current")).to_contain_class("is-doubtful")
        fresh.keyboard.press("Alt+m")
        expect(fresh.locator(".segment.is-doubtful")).to_have_count(count - 1)
    fresh.keyboard.press("Control+Shift+Enter")
    expect(fresh.get_by_label("Review", exact=True)).to_have_value("done")
    saved(fresh)
    fresh.reload()
    expect(fresh.get_by_label("Review", exact=True)).to_have_value("done")


def test_hostile_text_is_shown_as_text(fresh: Page) -> None:
    caret_at(fresh, 0, 0)
    hostile = "<img src=x onerror=alert(1)> {{7*7}} \u202e"
    fresh.keyboard.insert_text(hostile)
    names = fresh.locator("speaker-list [data-field=name]")
    names.first.fill("<b>Anna</b>")
    names.first.press("Tab")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    assert texts(fresh)[0].startswith(hostile)
    expect(fresh.locator(".speaker").first).to_have_text("<b>Anna</b>")


def test_merged_the_same_text_reads_as_paragraphs_and_is_edited_there_too(fresh: Page) -> None:
    fresh.get_by_label("Merged view").check()
    caret_at(fresh, 1, 0)
    fresh.keyboard.type("Merged. ")
    saved(fresh)
    fresh.reload()
    saved(fresh)
    expect(fresh.get_by_label("Merged view")).to_be_checked()
    assert texts(fresh)[1].startswith("Merged. ")


def test_the_keys_that_work_are_those_that_the_help_lists(transcript: Page) -> None:
    transcript.get_by_text("Keyboard shortcuts", exact=True).click()
    listed = transcript.locator("[data-list=keys]")
    for sentence in (
        "play or pause",
        "split at the cursor",
        "undo",
        "next flagged segment",
        "assign segment",
    ):
        expect(listed.get_by_text(sentence).first).to_be_visible()
    unsaid = transcript.evaluate(
        """async () => {
          const { COMMANDS } = await import("/static/review/keys/keymap.js");
          const page = document.querySelector("transcript-page");
          const does = COMMANDS.filter(({ command }) => command in page.commands);
          return does.filter(({ words }) => !page.words.knows(words)).map(({ id }) => id);
        }"""
    )
    assert not unsaid
