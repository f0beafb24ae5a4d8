"""The end of a job is told by the browser, and the settings pages of notices."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.person import NOT_SOUND, Person, file, silence

pytestmark = pytest.mark.browser
KEEP_WHAT_IS_SHOWN = """
const Shown = Notification;
window.Notification = class extends Shown {
  constructor(title, options) {
    super(title, options);
    window.shown = [...(window.shown ?? []), `${title}: ${options.body}`];
  }
};
"""
TOLD = "Object.keys(localStorage).find((key) => key.startsWith('told:'))"


def test_one_notification_tells_however_many_tabs_show_the_session(person: Person) -> None:
    page, context = person.page, person.page.context
    context.add_init_script(KEEP_WHAT_IS_SHOWN)
    person.upload(file("broken.mp3", NOT_SOUND), file("silence.wav", silence(20)))
    expect(page.get_by_role("button", name="Notify me when finished")).to_be_hidden()
    page.reload()
    person.start()
    button = page.get_by_role("button", name="Notify me when finished")
    expect(page).to_have_title(re.compile(r"^\d+% · Valley interviews · Bulk Transcribe$"))
    context.grant_permissions(["notifications"])
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    other = context.new_page()
    other.goto(person.session_url)
    shown = [page, other]
    person.wait_ended()
    expect(other.locator(".job").get_by_role("button", name="Cancel")).to_have_count(0)
    page.wait_for_function(f"() => {TOLD}")
    for tab in shown:
        tab.evaluate(f"navigator.locks.request({TOLD}, () => null)")  # whoever waited has had its turn
    told = [said for tab in shown for said in tab.evaluate("window.shown ?? []")]
    assert told == ["Valley interviews: 1 of 2 files transcribed, 1 failed"]
    expect(page).to_have_title("Valley interviews · Bulk Transcribe")
    page.reload()
    assert page.evaluate("window.shown ?? []") == [], "nothing has ended since"


def test_nothing_is_asked_and_nothing_told_unless_somebody_wants_it(person: Person) -> None:
    page = person.page
    page.context.add_init_script(KEEP_WHAT_IS_SHOWN)
    page.reload()
    person.upload(file("broken.mp3", NOT_SOUND))
    person.start()
    person.wait_ended()
    assert page.evaluate("window.shown ?? []") == []
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('tell'))") == []


def test_a_browser_that_blocks_notifications_says_so(person: Person) -> None:
    page = person.page
    person.upload(file("silence.wav", silence(60)))
    person.start()
    blocked = page.get_by_text("Notifications are blocked for this site.")
    expect(blocked).to_have_count(0)
    button = page.get_by_role("button", name="Notify me when finished")
    button.click()
    expect(blocked).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")
    page.locator(".job").first.get_by_role("button", name="Cancel").first.click()


@pytest.mark.smoke
@pytest.mark.parametrize("javascript", [True, False])
def test_a_webhook_is_added_tried_and_deleted(
    javascript: bool, installation: Installation, open_page: Callable[..., Page], signed_in: Path
) -> None:
    page = open_page(
        storage_state=signed_in, java_script_enabled=javascript, viewport={"width": 390, "height": 844}
    )
    page.goto(f"{installation.url}/settings/notifications/")
    expect(page.get_by_text("Email is not set up on this installation.")).to_be_visible()
    page.get_by_label("URL", exact=True).fill("https://no-such-host.invalid/hook")
    page.get_by_role("button", name="Add webhook").click()
    expect(page.get_by_role("heading", name="Signing secret")).to_be_visible()
    page.get_by_role("button", name="Send test").click()
    expect(page.get_by_text("Not delivered: The hostname could not be resolved.")).to_be_visible()
    expect(page.get_by_role("heading", name="Signing secret")).to_have_count(0)
    tried = page.locator(".delivery", has_text="· test")  # a job of another test may end meanwhile
    expect(tried).to_contain_text("Failed")
    tried.get_by_role("button", name="Resend").click()
    expect(tried).to_contain_text("2 attempts")
    if javascript:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_text("Delete webhook").click()
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("The webhook was deleted.")).to_be_visible()
