"""The real thing in a browser: `manage.py up` with its own DATA_DIR and ports, driven by Debian's Chromium."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.installation import Installation
from tests.browser.person import Person
from tests.browser.review.transcript import saved

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
PATIENCE_MS = 30_000
COPIES = 5  # made at once: a command takes three seconds to begin
AGAIN = """
from pathlib import Path
from tests.browser.again import transcribe_again
transcribe_again({pk!r}, Path({recording!r}), {name!r}, {times})
"""
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
def person(page: Page, installation: Installation) -> Person:
    """That page, opened at a new session."""
    person = Person(page, installation.url)
    person.new_session("Valley interviews")
    return person


@pytest.fixture(scope="session")
def transcribed(installation: Installation, chromium: Browser, signed_in: Path) -> Person:
    """A session with one complete file; only `session_url` and `transcript_url` are of use to others."""
    return _transcribed(Person(chromium.new_page(storage_state=signed_in), installation.url), speakers="none")


@pytest.fixture(scope="session")
def again(installation: Installation, chromium: Browser, signed_in: Path) -> Callable[..., str]:
    """Return the address of a transcript that nobody has touched, with two speakers.

    Each is another's, in a session of its own; the recording is heard once for all of them.
    """
    heard = _transcribed(
        Person(chromium.new_page(storage_state=signed_in), installation.url), speakers="auto"
    )
    pk = heard.transcript_url.rstrip("/").rpartition("/")[2]
    kept: dict[str, list[str]] = {}

    def make(name: str = RECORDING.name) -> str:
        if not kept.get(name):
            wanted = {"pk": pk, "recording": str(RECORDING), "name": name, "times": COPIES}
            said = installation.manage("shell", "-c", AGAIN.format(**wanted))
            kept[name] = [f"{installation.url}/transcripts/{key}/" for key in re.findall(r"made (\S+)", said)]
        return kept[name].pop()

    return make


def _transcribed(person: Person, speakers: str) -> Person:
    """Note where the transcript is that the worker makes of the recording, and close the page."""
    person.new_session(
        "Mill interviews" if speakers == "none" else "Mill, each speaker"
    )  # names tests can tell apart
    person.upload(RECORDING)
    person.start(speakers=speakers)
    person.wait_ended()
    link = person.row(RECORDING.name).get_by_role("link", name="Open transcript")
    person.transcript_url = f"{person.url}{link.get_attribute('href')}"
    person.page.close()
    return person


@pytest.fixture
def transcript(page: Page, transcribed: Person) -> Page:
    """The transcript of that file, which others open too."""
    page.goto(transcribed.transcript_url)
    saved(page)
    return page


@pytest.fixture
def fresh(page: Page, again: Callable[..., str]) -> Page:
    """A transcript that nobody has touched."""
    page.goto(again())
    saved(page)
    return page


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a picture for the documentation, with UPDATE_SCREENSHOTS=1."""

    def take(page: Page, name: str) -> None:
        if os.environ.get("UPDATE_SCREENSHOTS") == "1":
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png")

    return take
