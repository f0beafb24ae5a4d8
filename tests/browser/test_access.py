"""Every page for everybody: axe finds nothing in either theme, wide and narrow, and nothing is too wide."""

import json
import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import RECORDING, REPOSITORY
from tests.browser.installation import Installation
from tests.browser.person import JOB_SECONDS, NOT_SOUND, Person, file
from tests.browser.review.transcript import OTHERS_EDIT
from tests.jobs.media.test_audio_analysis import tone

pytestmark = [pytest.mark.browser, pytest.mark.smoke]
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# No preload: axe would copy style sheets into a document of its own, which the policy forbids.
RUN = """rules => axe.run(document,
  { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"], preload: false })
  .then(({ violations }) => violations.map(({ id, nodes }) =>
    ({ id, nodes: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`).slice(0, 3) })))"""
SPILLING = """() => [...document.body.querySelectorAll("*")]
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 120)).slice(0, 5)"""
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const { transitionDuration, animationDuration } = getComputedStyle(element);
  return `${transitionDuration}, ${animationDuration}`.split(", ").some((each) => parseFloat(each));
}).map((element) => element.outerHTML.slice(0, 120)).slice(0, 5)"""
WIDTHS = (1280, 720, 390, 320)  # 720: a window of 1440 at 200 %; 320: one of 1280 at 400 %
LOOKS = [(theme, width) for width in (1280, 390) for theme in ("light", "dark")]


def examine(page: Page) -> None:
    """Let axe look at the page as it is now, in every theme and width."""
    if not AXE.exists():
        message = "axe-core is missing: npm ci"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    page.evaluate(AXE.read_text())  # evaluated, not put into the page: the policy allows no inline script
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        found = page.evaluate(RUN, RULES)
        assert not found, f"{theme}, {width} px: {json.dumps(found, indent=1)}"
    assert not page.evaluate(MOVING), "reduced motion is asked for"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"too wide for {width} px: {page.evaluate(SPILLING)}"
        )


def test_axe_finds_what_is_wrong(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
    with pytest.raises(AssertionError, match="button-name"):
        examine(page)


@pytest.mark.parametrize("name", ["sign-in", "sign-in link", "nothing here"])
def test_pages_for_strangers(
    name: str, open_page: Callable[..., Page], installation: Installation, troubles: list[str]
) -> None:
    page = open_page()
    address = {"sign-in": "/", "sign-in link": "", "nothing here": "/nothing"}[name]
    page.goto(installation.url + address if address else installation.sign_in_link())
    examine(page)
    troubles.clear()  # the browser tells of a 404


def test_signing_up(open_page: Callable[..., Page], installation: Installation, troubles: list[str]) -> None:
    page = open_page()
    page.goto(installation.url)
    page.get_by_role("link", name="Create an account").click()
    examine(page)
    page.get_by_label("Username").fill("mira")
    for label, text in (("Password", "short"), ("Password confirmation", "another")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".errorlist")).to_be_visible()
    examine(page)
    troubles.clear()  # the browser tells of a 400


def test_the_list_of_sessions(page: Page, installation: Installation, transcribed: Person) -> None:
    page.goto(f"{installation.url}/")
    expect(page.get_by_role("link", name="Mill interviews")).to_be_visible()
    examine(page)


def test_a_session_at_work(person: Person, transcribed: Person) -> None:
    page = person.page
    person.upload(file("broken.mp3", NOT_SOUND), RECORDING)
    examine(page)  # new files and the form
    person.start()
    broken = person.row("broken.mp3")
    expect(broken.locator("[data-field=status]")).to_have_text("Failed", timeout=JOB_SECONDS * 1000)
    broken.get_by_text("Details").click()
    examine(page)  # one has failed, one is being transcribed
    broken.get_by_role("link", name="broken.mp3").click()
    examine(page)
    page.goto(person.session_url)
    person.row(RECORDING.name).get_by_role("button", name="Cancel").click()
    page.goto(transcribed.session_url)
    page.get_by_text("Session settings").click()
    examine(page)


def test_files_on_their_way_and_what_became_of_them(person: Person, troubles: list[str]) -> None:
    page = person.page
    page.route("**/api/incoming/*", lambda route: route.abort())
    good = [file("a long name that goes on and on مقابلة.wav", tone(0.5)), file("mill.wav", tone(0.6))]
    person.choose(*good)
    expect(page.get_by_text("the server is not responding")).to_have_count(2)
    page.locator(".transfer").first.get_by_role("button", name="Pause").click()
    examine(page)  # one waits, one is paused
    page.unroute("**/api/incoming/*")
    page.reload()
    expect(page.get_by_text("choose the file again").first).to_be_visible()
    examine(page)  # both were broken off
    person.choose(*good)
    expect(page.locator("verdict-table")).to_be_visible()
    person.choose(file("empty.wav", b""), file("twin.wav", tone(0.5)), file("text.mp3", NOT_SOUND))
    expect(page.locator("verdict-table [data-kind=unreadable]")).to_be_visible()
    examine(page)  # the table
    person.tab_to(page.locator(".verdicts-scroll"))
    troubles.clear()  # what was cut off, and a 400


# The review page ---------------------------------------------------------------------------------


def write(page: Page) -> None:
    page.locator(".said").nth(1).click()
    page.keyboard.type("x")


def show(summary: str) -> Callable[[Page], None]:
    return lambda page: page.locator("summary").get_by_text(summary, exact=True).click()


def merge(page: Page) -> None:
    page.get_by_label("Merged view").check()


def clash(page: Page) -> None:
    """Somebody else writes in the segment that is being written in."""
    page.locator(".said").nth(2).click()
    page.keyboard.type("x")  # sent in less than half a second, knowing nothing of what comes now
    url = page.locator("transcript-page").get_attribute("data-url")
    segment = page.locator(".segment").nth(2).get_attribute("data-key")
    assert page.evaluate(OTHERS_EDIT, {"url": url, "segment": segment}) == 200
    expect(page.locator("[data-field=clash]")).to_be_visible()


def find(page: Page) -> None:
    page.keyboard.press("Control+f")
    page.keyboard.type("the")


def change_keys(page: Page) -> None:
    show("Keyboard shortcuts")(page)
    page.get_by_role("button", name="Customize shortcuts").click()


OPENED: dict[str, Callable[[Page], None]] = {
    "read": lambda page: page.locator(".time").nth(1).click(),
    "written": write,
    "downloads": show("Download"),
    "keys": show("Keyboard shortcuts"),
    "merged": merge,
    "details": lambda page: page.keyboard.press("Alt+i"),
    "find": find,
    "changing keys": change_keys,
    "clash": clash,
}


@pytest.mark.parametrize("name", OPENED)
def test_the_review_page(name: str, transcript: Page, troubles: list[str]) -> None:
    OPENED[name](transcript)
    examine(transcript)
    if name == "clash":
        transcript.get_by_role("button", name="Use theirs").click()
        troubles.clear()  # the browser tells of a 409
