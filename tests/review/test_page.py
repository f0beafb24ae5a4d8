"""The transcript page as the server draws it."""

import re

import pytest
from django.utils import translation

from tests.review.page import Page


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_numbers_for_the_page_are_numbers_in_every_language(page: Page, language: str) -> None:
    page.edit("SetText", segment=page.keys()[1], text="So")
    with translation.override(language):
        html = page.browser.get(f"/transcripts/{page.transcript.pk}/").content.decode()
    assert f'<html lang="{language}"' in html
    assert re.findall(r'data-start="([^"]*)"', html)[:3] == ["0.000", "3.000", "6.000"]
    assert re.findall(r'data-version="([^"]*)"', html) == ["1"]
    assert 'data-duration="60.000"' in html and 'max="60.000"' in html


@pytest.mark.parametrize(
    ("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("", "ltr"), ("he-IL", "rtl")]
)
def test_the_gutter_is_where_the_language_begins(page: Page, language: str, direction: str) -> None:
    type(page.transcript).objects.update(language=language)
    html = page.browser.get(f"/transcripts/{page.transcript.pk}/").content.decode()
    assert f'<div class="transcript" lang="{language}" dir="{direction}">' in html


def test_the_first_rows_lie_in_blocks(page: Page) -> None:
    html = page.browser.get(f"/transcripts/{page.transcript.pk}/").content.decode()
    assert html.count('<ol class="virtual-block">') == 1
    assert html.count('class="segment') == 7  # six, and the one that JavaScript copies
    keys = page.keys()
    assert [key in html for key in keys] == [True] * 6
