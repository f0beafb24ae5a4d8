"""The main job on the pages: a recording goes in, a transcript comes out, a bad file harms nobody."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RECORDING
from tests.browser.installation import Installation
from tests.browser.person import JOB_SECONDS, NOT_SOUND, Person, file, sound_of

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>.ogg"


@pytest.mark.smoke
def test_a_recording_goes_in_and_a_transcript_comes_out(
    installation: Installation, open_page: Callable[..., Page], troubles: list[str]
) -> None:
    page = open_page()
    link = installation.sign_in_link()
    page.goto(link)
    page.get_by_role("button", name="Sign in as owner").click()
    person = Person(page, installation.url)
    person.new_session("Valley interviews")
    person.upload(RECORDING, file("broken.mp3", NOT_SOUND), file(HOSTILE, NOT_SOUND * 3))
    person.start()
    person.wait_ended()

    check_failures(person)
    good = person.row(RECORDING.name)
    expect(good.locator("[data-field=status]")).to_have_text("Complete")
    good.get_by_role("link", name="Open transcript").click()
    check_listening(page)
    check_download(page)

    page.goto(link)
    expect(page.get_by_role("heading", name="This link has expired")).to_be_visible()
    assert ["410" in trouble for trouble in troubles] == [True]
    troubles.clear()


def check_failures(person: Person) -> None:
    page = person.page
    for bad in ("broken.mp3", HOSTILE):
        row = person.row(bad)
        expect(row.locator("[data-field=status]")).to_have_text("Failed")
        expect(row.locator("[data-field=sentence]")).to_have_text("This file has no readable audio.")
        expect(row.get_by_role("button", name="Retry")).to_be_visible()
    person.row("broken.mp3").get_by_text("Details").click()
    expect(person.row("broken.mp3").locator("[data-field=code]")).to_have_text("INPUT_UNDECODABLE")
    expect(page.get_by_role("button", name="Retry job")).to_be_visible()
    expect(page.locator("[data-field=totals]")).to_contain_text("1 transcribed")
    expect(page.locator("[data-field=totals]")).to_contain_text("2 failed")


def check_listening(page: Page) -> None:
    segment = page.locator(".segment", has_text="summers").first
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    segment.locator(".time").click()
    expect(segment).to_contain_class("is-current")
    tinted = "() => [...CSS.highlights.get('spoken')].map((range) => range.startOffset).join()"
    page.wait_for_function(f"() => ({tinted})() !== ''")
    now = sound_of(page)
    assert now["isPlaying"]
    before = page.evaluate(tinted)
    page.wait_for_function(f"before => ({tinted})() !== before", arg=before)  # it moves on


def check_download(page: Page) -> None:
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="Subtitles (SRT)").click()
    assert coming.value.suggested_filename == "recording.srt"
    subtitles = Path(coming.value.path()).read_text()
    assert "summers" in subtitles
    assert "-->" in subtitles


def test_the_keyboard_alone_is_enough(person: Person) -> None:
    page = person.page
    page.on("filechooser", lambda chooser: None)  # asked for early: a key may come before Chromium is told
    person.tab_to(page.locator("input[name=files]"))
    with page.expect_file_chooser() as choosing:
        page.keyboard.press("Enter")
    choosing.value.set_files(RECORDING)
    expect(person.new_file(RECORDING.name)).to_be_visible()
    person.tab_to(page.get_by_label("Speakers", exact=True))
    page.keyboard.type("Do not")
    person.tab_to(page.get_by_role("button", name="Start transcribing 1 file"))
    page.keyboard.press("Enter")
    opened = page.get_by_role("link", name="Open transcript")
    expect(opened).to_be_visible(timeout=JOB_SECONDS * 1000)
    person.tab_to(opened)
    page.keyboard.press("Enter")

    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    for _ in range(2):
        page.keyboard.press("]")
    expect(page.locator(".segment").nth(2)).to_contain_class("is-current")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.keyboard.press("Control+Space")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("e")
    page.keyboard.type(" By keys alone.")
    expect(page.locator("[data-field=saving]")).to_have_text("Saved")
    page.reload()
    expect(page.locator(".said", has_text="By keys alone.")).to_be_visible()
