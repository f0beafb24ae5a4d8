"""Settings: a token made, copied, used and revoked; the page of the API. With a keyboard, in every look."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.installation import Installation
from tests.browser.test_access import examine

pytestmark = pytest.mark.browser


def make_token(page: Page, installation: Installation, name: str) -> str:
    page.goto(f"{installation.url}/")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("view and download sessions").check()
    page.get_by_label("Expires").select_option("In 7 days")
    page.get_by_role("button", name="Create token").click()
    return page.get_by_label("Token", exact=True).input_value()


@pytest.mark.smoke
def test_a_token_is_made_copied_used_and_revoked(page: Page, installation: Installation) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    secret = make_token(page, installation, "Archive")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    examine(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    headers = {"Authorization": f"Bearer {secret}"}
    sessions = f"{installation.url}/api/sessions"
    assert requests.get(sessions, headers=headers, timeout=30).ok
    page.goto(f"{installation.url}/settings/tokens/")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke Archive").click()
    expect(page.get_by_text("Archive was revoked.")).to_be_visible()
    assert requests.get(sessions, headers=headers, timeout=30).status_code == 401


def test_a_token_is_made_without_javascript(
    open_page: Callable[..., Page], signed_in: Path, installation: Installation
) -> None:
    page = open_page(storage_state=signed_in, java_script_enabled=False)
    assert make_token(page, installation, "Plain").startswith("bt_")
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    page.get_by_role("button", name="Revoke Plain").click()
    expect(page.get_by_text("Plain was revoked.")).to_be_visible()


@pytest.mark.smoke
def test_the_page_of_the_api_can_be_read_by_everybody(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/api/docs")
    page.get_by_text("/api/sessions/{pk}/jobs").first.click()
    page.get_by_role("link", name="JobAnswer").first.click()
    expect(page.get_by_role("heading", name="JobAnswer")).to_be_in_viewport()
    examine(page)
