"""More files than a page shows: kinds, a search, pages; jobs deleted and brought back; options under a name."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RECORDING
from tests.browser.installation import Installation
from tests.browser.person import Person, file, silence

pytestmark = pytest.mark.browser
FILL = """
from jobs.models import Session
from tests.browser.sessions.many import fill
session = Session.objects.get(pk="{pk}")
fill(session, 60, 1, failed=3)
fill(session, 60, 2, failed=2)
"""


@pytest.fixture
def many(person: Person, installation: Installation) -> Page:
    """The page of a session with two jobs of sixty files."""
    pk = person.session_url.rstrip("/").rpartition("/")[2]
    installation.manage("shell", "-c", FILL.format(pk=pk))
    person.page.reload()
    expect(person.page.locator(".file").first).to_be_visible()
    person.page.evaluate("window.isTheSamePage = true")
    return person.page


def rows(page: Page) -> list[str]:
    return page.locator(".file [data-field=name]").all_inner_texts()


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Filter files").get_by_role(
        "link", name=re.compile(f"^{name}")
    ).click()


def test_files_are_shown_by_kind_by_name_and_by_page_without_a_reload(many: Page) -> None:
    assert len(rows(many)) == 50
    expect(many.get_by_text("Page 1 of 3")).to_be_visible()
    many.get_by_role("link", name="Older").click()
    expect(many.get_by_text("Page 2 of 3")).to_be_visible()
    assert rows(many)[0] == "tape 2-050.wav"
    many.get_by_role("link", name="Older").click()
    expect(many.locator(".file")).to_have_count(20)
    tab(many, "Failed")
    expect(many.locator(".file")).to_have_count(5)
    assert many.url.endswith("?show=failed")
    expect(many.locator(".tab[aria-current=page]")).to_have_text(re.compile("Failed 5"))
    many.get_by_role("searchbox", name="Find files by name").fill("1-00")
    expect(many.locator(".file")).to_have_count(3)
    many.get_by_role("searchbox").fill("nowhere")
    expect(many.get_by_text("No matching files")).to_be_visible()
    assert many.evaluate("window.isTheSamePage")
    many.reload()
    expect(many.get_by_text("No matching files")).to_be_visible()
    expect(many.get_by_role("searchbox")).to_have_value("nowhere")
    many.go_back()
    expect(many.locator(".file")).to_have_count(3)
    tab(many, "All")
    expect(many.locator(".job-head").first).to_contain_text("60 files")


def test_a_job_is_deleted_and_brought_back_on_the_spot(many: Page) -> None:
    job = many.locator(".job").first
    job.get_by_text("Delete", exact=True).click()
    job.get_by_role("button", name="Transcripts only (keep recordings)").click()
    expect(many.get_by_text("Page 1 of 2")).to_be_visible()
    expect(many.get_by_role("button", name="Start transcribing 60 files")).to_be_visible()
    many.get_by_text("Trash 1").click()
    many.get_by_role("button", name="Restore: Job 2").click()
    expect(many.get_by_text("Page 1 of 3")).to_be_visible()
    expect(many.get_by_text("Trash 1")).to_be_hidden()
    assert many.evaluate("window.isTheSamePage")


def test_a_new_file_is_deleted_and_brought_back(person: Person) -> None:
    page = person.page
    person.upload(file("silence.wav", silence(1)), file("hush.wav", silence(2)))
    page.get_by_role("button", name="Delete: hush.wav").click()
    expect(person.new_file("hush.wav")).to_have_count(0)
    expect(person.new_file("silence.wav")).to_be_visible()
    page.get_by_text("Trash 1").click()
    page.get_by_role("button", name="Restore: hush.wav").click()
    expect(person.new_file("hush.wav")).to_be_visible()


def test_a_session_is_renamed(person: Person) -> None:
    person.page.locator(".page-verbs summary", has_text="Session settings").press("Enter")
    person.page.get_by_label("Session name").fill("Мельница 磨坊")
    person.page.keyboard.press("Enter")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Мельница 磨坊")


def test_it_is_chosen_for_how_long_a_session_is_kept(person: Person) -> None:
    menu = person.page.locator(".page-verbs summary", has_text="Session settings")
    menu.press("Enter")
    person.page.get_by_label("Keep this session").select_option("90 days")
    person.page.get_by_role("button", name="Save retention").click()
    menu.press("Enter")
    expect(person.page.get_by_label("Keep this session")).to_have_value("90")
    expect(person.page.get_by_text("this session moves to Trash on")).to_be_visible()


@pytest.mark.smoke
def test_a_session_is_deleted_and_brought_back(person: Person) -> None:
    person.page.get_by_role("button", name="Delete session").click()
    person.page.wait_for_url(f"{person.url}/")
    pk = person.session_url.rstrip("/").rpartition("/")[2]
    assert person.page.locator(f"a[href='/sessions/{pk}/']").count() == 0
    person.page.locator("summary", has_text="Trash").click()
    person.page.locator(f"[formaction='/sessions/{pk}/restore']").click()
    person.page.wait_for_url(person.session_url)


def test_options_are_kept_under_a_name_and_the_last_ones_are_remembered(person: Person) -> None:
    page = person.page
    person.upload(file("silence.wav", silence(1)))
    page.get_by_label("Language", exact=True).select_option("de")
    page.get_by_text("More options").click()
    page.get_by_label("Vocabulary").fill("Blackwater, Kowalczyk")
    page.get_by_label("Save as preset").fill("Mill, German")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved as “Mill, German”.")).to_be_visible()
    page.get_by_label("Language", exact=True).select_option("pl")
    person.start(model="tiny", speakers="none")
    page.reload()
    person.upload(RECORDING)
    expect(page.get_by_label("Language", exact=True)).to_have_value("pl")
    expect(page.get_by_label("Model")).to_have_value("tiny")
    page.get_by_label("Preset", exact=True).select_option("Mill, German")
    expect(page.get_by_label("Language", exact=True)).to_have_value("de")
    expect(page.get_by_label("Vocabulary")).to_have_value("Blackwater, Kowalczyk")
    page.get_by_role("button", name="Delete preset").click()
    expect(page.get_by_text("Preset deleted.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Preset", exact=True)).to_be_hidden()


def test_what_can_be_chosen_works_without_javascript(
    person: Person, many: Page, installation: Installation, open_page: object, signed_in: object
) -> None:
    plain = open_page(java_script_enabled=False, storage_state=signed_in)  # type: ignore[operator]
    plain.goto(f"{person.session_url}?show=failed")
    expect(plain.locator(".file:visible")).to_have_count(5)
    plain.goto(f"{person.session_url}?page=3")
    expect(plain.locator(".file:visible")).to_have_count(20)
    plain.locator(".job").first.locator("summary", has_text="Delete").click()
    plain.get_by_role("button", name="Transcripts and recordings").first.click()
    expect(plain.get_by_text("Page 1 of 2")).to_be_visible()
