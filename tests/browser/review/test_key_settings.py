"""Keys: each does what the help says, and each can be changed, by keys alone."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.person import Person, sound_of
from tests.browser.review.transcript import pedal, saved
from tests.browser.test_look import SMALL_TARGETS, UNNAMED

pytestmark = pytest.mark.browser
KEPT = "localStorage.getItem('review.keys')"


@pytest.fixture
def settings(transcript: Page) -> Page:
    open_settings(transcript)
    return transcript


def open_settings(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_role("button", name="Customize shortcuts").click()
    expect(page.get_by_role("dialog", name="Customize shortcuts")).to_be_visible()


def row(page: Page, what: str) -> Locator:
    return page.get_by_role("dialog").get_by_role("group", name=what, exact=True)


def keys_of(page: Page, what: str) -> list[str]:
    chips = row(page, what).locator(".key-chip").all_text_contents()
    return [chip.removesuffix("Remove").replace(" ", "+") for chip in chips]


def record(page: Page, what: str, key: str) -> None:
    row(page, what).get_by_role("button", name="Add shortcut").press("Enter")
    page.keyboard.press(key)


def said(page: Page) -> Locator:
    return page.get_by_role("dialog").get_by_role("status")


def is_playing(page: Page) -> bool:
    return bool(sound_of(page)["isPlaying"])


# Changing them ---------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_a_key_is_recorded_and_valid_at_once_and_after_a_reload(settings: Page) -> None:
    row(settings, "play or pause").get_by_role("button", name="Add shortcut").press("Enter")
    expect(said(settings)).to_have_text("Press a key for “play or pause”, or Escape to cancel.")
    pedal(settings, "F17")
    expect(said(settings)).to_have_text("F17 now triggers “play or pause”.")
    expect(row(settings, "play or pause").get_by_role("button", name="Add shortcut")).to_be_focused()
    assert keys_of(settings, "play or pause") == ["Ctrl+Space", "Esc", "F17"]
    pedal(settings, "F17")
    assert not is_playing(settings), "the page hears nothing while the dialog is open"
    settings.keyboard.press("Escape")
    expect(settings.get_by_role("dialog")).to_be_hidden()
    expect(settings.locator("[data-list=keys] dt").first).to_contain_text("F17")
    for _ in range(2):
        pedal(settings, "F17")
        expect(settings.get_by_role("button", name="Pause", exact=True)).to_be_visible()
        pedal(settings, "F17")
        settings.reload()
        saved(settings)


def test_escape_and_tab_are_never_recorded(settings: Page) -> None:
    before = keys_of(settings, "undo")
    record(settings, "undo", "Escape")
    expect(said(settings)).to_have_text("No shortcut was added.")
    expect(settings.get_by_role("dialog")).to_be_visible()
    button = row(settings, "undo").get_by_role("button", name="Add shortcut")
    expect(button).to_be_focused()
    record(settings, "undo", "Tab")
    expect(button).not_to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert keys_of(settings, "undo") == before
    assert settings.evaluate(KEPT) is None


def test_space_and_a_held_key_are_recorded_once_and_press_no_button(settings: Page) -> None:
    record(settings, "play or pause (outside the text)", "Shift+Space")
    assert keys_of(settings, "play or pause (outside the text)") == ["Space", "Shift+Space"]
    button = row(settings, "play or pause (outside the text)").get_by_role("button", name="Add shortcut")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_be_focused()


def test_keys_that_cannot_be_are_said_where_they_were_pressed(settings: Page) -> None:
    undo, problem = row(settings, "undo"), row(settings, "undo").locator("[data-field=problem]")
    for key, sentence in (("a", "A types a character"), ("Control+c", "Ctrl+C is needed for typing")):
        record(settings, "undo", key)
        expect(problem).to_contain_text(sentence)
        expect(said(settings)).to_contain_text(sentence)
        settings.keyboard.press("Escape")
    record(settings, "undo", "Alt+u")
    expect(problem).to_have_text("")
    expect(undo.locator(".key-chip")).to_have_count(2)


def test_a_key_with_two_meanings_is_said_at_both_until_one_is_removed(settings: Page) -> None:
    record(settings, "highlight", "e")
    for what, other in (
        ("highlight", "edit current segment"),
        ("edit current segment", "highlight"),
    ):
        problem = row(settings, what).locator("[data-field=problem]")
        expect(problem).to_contain_text(f"E is also assigned to “{other}”")
    row(settings, "edit current segment").get_by_role("button", name="Remove E").press("Enter")
    expect(said(settings)).to_have_text("E no longer triggers “edit current segment”.")
    expect(row(settings, "edit current segment").get_by_role("button", name="Add shortcut")).to_be_focused()
    expect(row(settings, "edit current segment")).to_contain_text("No shortcut")
    expect(row(settings, "highlight").locator("[data-field=problem]")).to_have_text("")
    expect(settings.get_by_role("dialog")).to_contain_text("2 customized shortcuts")
    row(settings, "highlight").get_by_role("button", name="Reset to default").press("Enter")
    assert keys_of(settings, "highlight") == ["H"]
    settings.get_by_role("button", name="Reset all to default").press("Enter")
    assert keys_of(settings, "edit current segment") == ["E"]
    expect(settings.get_by_role("button", name="Reset all to default")).to_be_hidden()


def test_a_preset_is_valid_in_the_other_tab_too(settings: Page) -> None:
    other = settings.context.new_page()
    other.goto(settings.url)
    saved(other)
    settings.get_by_label("Shortcut preset").select_option("otranscribe")
    expect(settings.get_by_role("dialog")).to_contain_text("every segment already has one")
    assert keys_of(settings, "back 2 seconds") == ["F1", "Ctrl+1", "F13"]
    other.get_by_text("Keyboard shortcuts", exact=True).click()
    expect(other.locator("[data-list=keys]")).to_contain_text("F1, Ctrl 1")
    for key, seconds in (("F2", 2.0), ("Control+2", 4.0), ("F1", 2.0)):
        other.keyboard.press(key)
        assert float(sound_of(other)["time"]) == pytest.approx(seconds)
    other.keyboard.press("F3")
    expect(other.get_by_label("Speed")).to_have_value("0.75")


def test_what_another_version_kept_does_no_harm(transcript: Page) -> None:
    for kept in ('{"preset": "emacs", "own": {"undo": 7, "gone": ["KeyA"], "fine": [""]}}', "[", "null"):
        transcript.evaluate("kept => localStorage.setItem('review.keys', kept)", kept)
        transcript.reload()
        saved(transcript)
        open_settings(transcript)
        assert keys_of(transcript, "undo") == ["Ctrl+Z"]
        transcript.keyboard.press("Escape")


def test_keys_are_named_as_on_this_keyboard(page: Page, transcribed: Person) -> None:
    page.add_init_script(
        "Object.defineProperty(navigator, 'keyboard', "
        "{ value: { getLayoutMap: async () => new Map([['KeyZ', 'y'], ['Minus', 'ß']]) } })"
    )
    page.goto(transcribed.transcript_url)
    saved(page)
    open_settings(page)
    assert keys_of(page, "undo") == ["Ctrl+Y"]
    assert keys_of(page, "slower") == ["Alt+ß"]
    expect(page.locator("[data-list=keys]")).to_contain_text("Alt ß")


def test_the_settings_fit_a_phone_and_each_control_has_a_name(settings: Page) -> None:
    settings.set_viewport_size({"width": 390, "height": 800})
    settings.get_by_role("dialog").get_by_text("Speakers", exact=True).click()
    dialog = settings.get_by_role("dialog")
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert not settings.evaluate(UNNAMED)
    assert not settings.evaluate(SMALL_TARGETS)
    names = dialog.get_by_role("button").evaluate_all(
        "all => all.map((one) => one.ariaLabel ?? one.textContent)"
    )
    assert len(set(names)) == len(names), "no two buttons have the same name"
