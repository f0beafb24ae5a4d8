"""What a person does and sees on the transcript page, for its end-to-end tests."""

from playwright.sync_api import Locator, Page, expect

SAVED_MS = 60_000
# What somebody else does meanwhile: another text for a segment.
OTHERS_EDIT = """async ({ url, segment }) => {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const { version } = await (await fetch(url)).json();
  const edits = [{ id: crypto.randomUUID(), kind: "SetText", segment, text: `theirs ${version}` }];
  const body = JSON.stringify({ baseVersion: version, client: crypto.randomUUID(), edits });
  return (await fetch(`${url}/edits`, { method: "POST", headers, body })).status;
}"""


def saved(page: Page) -> None:
    """Wait until the page says that the server has everything."""
    expect(page.locator("[data-field=saving]")).to_have_text("Saved", timeout=SAVED_MS)


def texts(page: Page) -> list[str]:
    """The segments. (What is out of sight has no inner text.)"""
    return page.locator(".said").all_text_contents()


def key_of(page: Page, number: int) -> str:
    return str(page.locator(".segment").nth(number).get_attribute("data-key"))


def caret_at(page: Page, number: int, place: int = 0) -> Locator:
    """Put the caret into a segment, as a click and keys would."""
    said = page.locator(".said").nth(number)
    said.click()
    page.keyboard.press("Control+Home")
    for _ in range(place):
        page.keyboard.press("ArrowRight")
    return said


def pedal(page: Page, key: str, happening: str = "keydown") -> None:
    """A key that keyboards have no more, and pedals send."""
    page.evaluate(
        """([happening, key]) => (document.activeElement ?? document.body).dispatchEvent(
          new KeyboardEvent(happening, { key, code: key, bubbles: true, cancelable: true }))""",
        [happening, key],
    )
