"""Two people at one transcript: who else is here, what merges, what clashes, and what is whose."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.review.transcript import caret_at, key_of, saved, texts

pytestmark = pytest.mark.browser
SEEN_MS = 30_000  # changes are asked for every four seconds


@pytest.fixture(scope="module")
def address(again: Callable[..., str]) -> str:
    """A transcript of this file alone."""
    return again()


@pytest.fixture
def pages(open_page: Callable[..., Page], signed_in: Path, address: str) -> Iterator[list[Page]]:
    """Two browsers of one person: sharing a session with another does not exist yet."""
    two = [open_page(storage_state=signed_in) for _ in range(2)]
    for page in two:
        page.goto(address)
        saved(page)
    yield two


def act(page: Page, *edits: dict[str, Any]) -> bool:
    done: bool = page.evaluate("edits => document.querySelector('transcript-page').act(edits)", list(edits))
    return done


def clash(mine: Page, theirs: Page, number: int, my_text: str, their_text: str) -> None:
    """Both write in one segment, mine without having seen theirs."""
    key = key_of(mine, number)
    with Held(mine.context):
        act(mine, {"kind": "SetText", "segment": key, "text": my_text})
        act(theirs, {"kind": "SetText", "segment": key, "text": their_text})
        saved(theirs)
    expect(mine.locator("[data-field=clash]")).to_be_visible(timeout=SEEN_MS * 3)


class Held:
    """The context has no network meanwhile."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context

    def __enter__(self) -> None:
        self.context.set_offline(True)

    def __exit__(self, *exc: object) -> None:
        self.context.set_offline(False)


def test_edits_in_different_segments_merge_both_ways_and_names_follow(pages: list[Page]) -> None:
    mine, theirs = pages
    caret_at(mine, 0)
    mine.keyboard.type("From me. ")
    caret_at(theirs, 2)
    theirs.keyboard.type("From them. ")
    for page in pages:
        expect(page.locator(".said").nth(0)).to_have_text(re.compile("^From me. "), timeout=SEEN_MS)
        expect(page.locator(".said").nth(2)).to_have_text(re.compile("^From them. "), timeout=SEEN_MS)
    name = theirs.locator("speaker-list [data-field=name]").first
    name.fill("Anna Brink")
    name.press("Tab")
    expect(mine.locator(".speaker", has_text="Anna Brink").first).to_be_visible(timeout=SEEN_MS)
    assert texts(mine) == texts(theirs)


@pytest.mark.parametrize(("choice", "kept"), [("Keep mine", "Mine."), ("Use theirs", "Theirs.")])
def test_a_clash_shows_both_texts_and_either_is_kept(
    pages: list[Page], troubles: list[str], choice: str, kept: str
) -> None:
    mine, theirs = pages
    clash(mine, theirs, 1, f"Mine. {choice}", f"Theirs. {choice}")
    expect(mine.locator("[data-field=mine]")).to_have_text(f"Mine. {choice}")
    expect(mine.locator("[data-field=theirs]")).to_have_text(f"Theirs. {choice}")
    expect(mine.locator("[data-field=saving]")).to_contain_text("choose below")
    mine.get_by_role("button", name=choice).click()
    saved(mine)
    expect(mine.locator("[data-field=clash]")).to_be_hidden()
    for page in pages:
        expect(page.locator(".said").nth(1)).to_have_text(f"{kept} {choice}", timeout=SEEN_MS)
    troubles.clear()


@pytest.mark.parametrize("choice", ["Use theirs", "Keep mine"])
def test_a_segment_that_is_deleted_while_somebody_writes_in_it(
    pages: list[Page], troubles: list[str], choice: str
) -> None:
    mine, theirs = pages
    before = texts(mine)
    caret_at(mine, 1)
    with Held(mine.context):
        mine.keyboard.type("Half a sent")
        act(theirs, {"kind": "Delete", "segment": key_of(theirs, 1)})
        saved(theirs)
    expect(mine.locator("[data-field=clash]")).to_be_visible(timeout=SEEN_MS * 3)
    mine.keyboard.type("h1")  # meant for the segment; as commands they would change another one
    expect(mine.locator("[data-field=mine]")).to_have_text(f"Half a sent{before[1]}")
    expect(mine.locator("[data-field=theirs]")).to_have_text("(deleted)")
    mine.get_by_role("button", name=choice).click()
    saved(mine)
    left = [f"Half a sent{before[1]}"] if choice == "Keep mine" else []
    assert texts(mine) == [before[0], *left, *before[2:]]
    expect(mine.locator(".segment.is-highlighted")).to_have_count(0)
    mine.reload()
    saved(mine)
    assert texts(mine) == [before[0], *left, *before[2:]]
    troubles.clear()


def test_whoever_is_here_too_is_named(pages: list[Page]) -> None:
    mine, _theirs = pages
    people = [
        {"name": "jonas", "client": "x", "segment": None},
        {"name": "owner", "client": "y", "segment": None},
    ]
    mine.evaluate("people => document.querySelector('transcript-page').showPeople(people)", people)
    expect(mine.locator("[data-field=people]")).to_have_text("· also viewing: jonas")
