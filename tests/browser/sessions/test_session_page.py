"""The session page while things happen: it stays in place, says what is wrong and loses nothing."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RECORDING
from tests.browser.installation import Installation
from tests.browser.person import JOB_SECONDS, NOT_SOUND, Person, file, silence

pytestmark = pytest.mark.browser


def test_live_data_changes_rows_in_place(person: Person) -> None:
    person.upload(RECORDING, file("broken.mp3", NOT_SOUND))
    person.start()
    row, broken = person.row(RECORDING.name), person.row("broken.mp3")
    row.evaluate("row => { row.mark = 'the same element'; row.focus(); }")
    broken.get_by_text("Details").click()
    person.wait_ended()
    assert row.evaluate("row => row.mark") == "the same element"
    assert broken.locator("details").get_attribute("open") is not None
    expect(broken.locator("summary")).to_be_focused()


def test_focus_stays_in_the_row_when_its_button_goes(person: Person) -> None:
    person.upload(file("broken.mp3", NOT_SOUND))
    person.start()
    person.wait_ended()
    retry = person.row("broken.mp3").get_by_role("button", name="Retry")
    retry.focus()
    person.page.keyboard.press("Enter")
    expect(retry).to_be_hidden()
    expect(person.row("broken.mp3")).to_be_focused()
    person.wait_ended()
    person.row("broken.mp3").get_by_text("Details").click()
    expect(person.row("broken.mp3").locator("[data-field=attempt]")).to_have_text("2")


def test_retry_job_sends_every_failed_file_again(person: Person) -> None:
    person.upload(file("one.mp3", NOT_SOUND), file("two.mp3", NOT_SOUND * 2))
    person.start()
    person.wait_ended()
    person.page.get_by_role("button", name="Retry job").click()
    for name in ("one.mp3", "two.mp3"):
        expect(person.row(name).locator("[data-field=attempt]")).to_have_text("2")
    person.wait_ended()
    expect(person.page.locator("[data-field=totals]")).to_contain_text("2 failed")


def test_a_canceled_file_can_be_started_again(person: Person) -> None:
    person.upload(file("long silence.wav", silence(600)))
    person.start()
    row = person.row("long silence.wav")
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator("[data-field=status]")).to_have_text("Canceled")
    row.get_by_role("button", name="Retry").click()
    expect(row.locator("[data-field=status]")).not_to_have_text("Canceled")
    row.get_by_role("button", name="Cancel").click()  # or others wait for ten minutes of silence
    expect(row.locator("[data-field=status]")).to_have_text("Canceled")


def test_a_file_in_which_nobody_speaks_says_so(person: Person) -> None:
    person.upload(file("silence.wav", silence(3)))
    person.start()
    person.wait_ended()
    person.row("silence.wav").get_by_role("link", name="Open transcript").click()
    expect(person.page.get_by_text("No speech was detected in this recording.")).to_be_visible()
    person.page.get_by_role("button", name="Play", exact=True).click()
    expect(person.page.get_by_role("button", name="Pause")).to_be_visible()


def test_uploads_are_there_after_a_reload(person: Person) -> None:
    person.upload(RECORDING, file("broken.mp3", NOT_SOUND))
    person.page.reload()
    expect(person.new_file(RECORDING.name).get_by_role("checkbox")).to_be_checked()
    person.new_file("broken.mp3").get_by_role("checkbox").uncheck()
    expect(person.page.get_by_role("button", name="Start transcribing 1 file")).to_be_visible()


def test_numbers_of_speakers_are_asked_for_only_where_they_count(person: Person, troubles: list[str]) -> None:
    page = person.page
    person.upload(RECORDING)
    speakers = page.get_by_label("Speakers", exact=True)
    for choice, shown in (
        ("auto", []),
        ("exact", ["Number of speakers"]),
        ("between", ["Minimum speakers", "Maximum speakers"]),
        ("none", []),
    ):
        speakers.select_option(choice)
        for label in ("Number of speakers", "Minimum speakers", "Maximum speakers"):
            expect(page.get_by_label(label)).to_be_visible(visible=label in shown)
    speakers.select_option("between")
    page.get_by_label("Minimum speakers").fill("5")
    page.get_by_label("Maximum speakers").fill("2")
    page.get_by_role("button", name="Start transcribing 1 file").click()
    expect(page.locator("[data-field=error]")).to_contain_text("must not be greater")
    expect(page.locator(".job")).to_have_count(0)
    assert ["400" in trouble for trouble in troubles] == [True]
    troubles.clear()


@pytest.mark.smoke
def test_everything_works_without_javascript(
    installation: Installation, open_page: Callable[..., Page], signed_in: Path
) -> None:
    person = Person(open_page(storage_state=signed_in, java_script_enabled=False), installation.url)
    page = person.page
    person.new_session("Plain")
    person.choose(file("broken.mp3", NOT_SOUND))
    page.get_by_role("button", name="Upload").click()
    expect(person.new_file("broken.mp3").get_by_role("checkbox")).to_be_checked()
    person.start()
    row = person.row("broken.mp3")
    until = time.monotonic() + JOB_SECONDS
    while not row.get_by_role("button", name="Retry").is_visible() and time.monotonic() < until:
        page.wait_for_timeout(500)
        page.reload()
    expect(row.locator("[data-field=sentence]")).to_be_visible()
    page.get_by_role("button", name="Retry job").click()
    expect(row.locator("[data-field=status]")).not_to_have_text("Failed")


@pytest.mark.smoke
def test_a_file_has_a_page_that_tells_its_history_while_it_happens(person: Person) -> None:
    person.upload(file("broken.mp3", NOT_SOUND))
    person.start()
    person.wait_ended()
    page = person.page
    page.get_by_role("link", name="broken.mp3").click()
    events = page.locator("[data-list=events] > li")
    expect(events.first).to_contain_text("added to the queue")
    expect(events.last).to_contain_text("This file has no readable audio.")
    told = events.count()
    events.first.evaluate("row => { row.mark = 'the same element' }")
    page.evaluate("window.stayed = true")
    verb = page.get_by_role("button", name="Retry").get_attribute("formaction")
    page.evaluate(
        """async (path) => {
          const token = document.querySelector("meta[name=csrf-token]").content;
          await fetch(`/api${path}`, { method: "POST", headers: { "X-CSRFToken": token } });
        }""",
        verb,
    )
    expect(events).not_to_have_count(told)
    expect(page.locator("[data-field=try]")).to_have_text("2 / 2")
    assert page.evaluate("window.stayed")
    assert events.first.evaluate("row => row.mark") == "the same element"
    page.get_by_role("button", name="Retry").click()
    page.wait_for_url("**/inputs/*/")
    expect(page.get_by_role("heading", name="broken.mp3")).to_be_visible()


def test_a_job_is_run_again_with_other_options(person: Person) -> None:
    person.upload(file("one.mp3", NOT_SOUND), file("two.mp3", NOT_SOUND * 2))
    person.start(speakers="none")
    person.wait_ended()
    page = person.page
    page.get_by_role("link", name="Rerun with different options").click()
    expect(page.get_by_text("Starting with the files and options of job 1")).to_be_visible()
    expect(page.get_by_label("Speakers", exact=True)).to_have_value("none")
    page.get_by_label("Model").select_option("base")
    page.get_by_role("button", name="Start transcribing 2 files").click()
    expect(page.locator(".job")).to_have_count(2)
    expect(page.locator(".job").first.locator("[data-field=model]")).to_have_text("base")
    expect(page.locator(".job").last.locator("[data-field=model]")).to_have_text("tiny.en")
    assert page.url == person.session_url, "a reload does not run it once more"


@pytest.mark.smoke
def test_the_live_page_of_workers_keeps_itself_up_to_date(person: Person, transcribed: Person) -> None:
    page = person.page
    page.goto(f"{person.url}/admin/remoteworker/worker/live/")
    row = page.get_by_role("row", name="local")
    expect(row).to_contain_text("ready")
    expect(row).to_contain_text("tiny.en")
    row.evaluate("row => { row.mark = 'the same element' }")
    before = row.inner_text()
    expect(row).not_to_have_text(before, use_inner_text=True)  # the time of the last contact, at least
    assert row.evaluate("row => row.mark") == "the same element"
