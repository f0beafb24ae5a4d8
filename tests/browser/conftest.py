"""The real thing in a browser: `manage.py up` with its own DATA_DIR and ports, driven by Debian's Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.desk import Desk
from tests.browser.installation import Installation
from tests.browser.transcript import saved

REPOSITORY = Path(__file__).resolve().parent.parent.parent
RECORDING = REPOSITORY / "bulktranscribe" / "demo" / "recording.ogg"
PICTURES = REPOSITORY / "docs" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("installation"), ALLOW_SIGNUP="1") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        message = "Chromium is missing: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(
    installation: Installation, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The cookies of somebody who has used a sign-in link."""
    path = tmp_path_factory.mktemp("browser") / "signed-in.json"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(installation.sign_in_link())
    page.get_by_role("button", name="Sign in as owner").click()
    page.wait_for_url(f"{installation.url}/")
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def troubles() -> list[str]:
    """What the browser complained about: script errors, refused content, missing files. Empty at the end."""
    return []


def _complaint(said: ConsoleMessage) -> str:
    return f"{said.text} ({said.location['url']})"


@pytest.fixture
def open_page(chromium: Browser, troubles: list[str]) -> Iterator[Callable[..., Page]]:
    """Make pages, each in a context of its own with the options given."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> Page:
        context = chromium.new_context(**{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: troubles.append(_complaint(said)) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture
def page(open_page: Callable[..., Page], signed_in: Path) -> Page:
    """A page of somebody who has signed in."""
    return open_page(storage_state=signed_in)


@pytest.fixture
def desk(page: Page, installation: Installation) -> Desk:
    """That page, opened at a new session."""
    desk = Desk(page, installation.url)
    desk.new_session("Valley interviews")
    return desk


@pytest.fixture(scope="session")
def transcribed(installation: Installation, chromium: Browser, signed_in: Path) -> Desk:
    """A session with one complete file; only `session_url` and `transcript_url` are of use to others."""
    context = chromium.new_context(storage_state=signed_in)
    desk = Desk(context.new_page(), installation.url)
    desk.new_session("Mill interviews")
    desk.upload(RECORDING)
    desk.start(speakers="none")
    desk.wait_ended()
    desk.transcript_url = installation.url + str(
        desk.row(RECORDING.name).get_by_role("link", name="Open transcript").get_attribute("href")
    )
    context.close()
    return desk


@pytest.fixture
def transcript(page: Page, transcribed: Desk) -> Page:
    """The transcript of that file, which others open too."""
    page.goto(transcribed.transcript_url)
    saved(page)
    return page


@pytest.fixture
def fresh(desk: Desk) -> Page:
    """A transcript that nobody has touched."""
    desk.upload(RECORDING)
    desk.start()
    desk.wait_ended()
    desk.row(RECORDING.name).get_by_role("link", name="Open transcript").click()
    saved(desk.page)
    return desk.page


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture for the documentation, with UPDATE_SCREENSHOTS=1."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("UPDATE_SCREENSHOTS") == "1":
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png")

    return take
