"""The state as the page loads it: put together from texts, and the same as from rows."""

import gzip
import json

from review.api import snapshot
from review.edits.word_timing import words_from_json
from review.models import Transcript
from review.storage import versions
from tests.review.page import Page


def test_the_state_of_the_page_is_the_state_of_the_rows(page: Page, talk: Transcript) -> None:
    first, second = (str(key) for key in talk.segments.values_list("key", flat=True)[:2])
    page.edit("SetText", segment=first, text='He said: "\\u0000 שלום 🎙 </script>')
    page.edit("SetSpeaker", segment=second, speaker=None, scope="one")
    page.edit("Highlight", segment=second, on=True)
    talk.refresh_from_db()
    state = json.loads(snapshot.state_json(talk))
    assert state == json.loads(json.dumps(versions.state(talk)))
    assert words_from_json(state["segments"][0]["words"])[-1].text == "</script>"


def test_who_can_unpack_it_gets_it_packed(page: Page) -> None:
    url = f"/api/transcripts/{page.transcript.pk}"
    plain = page.browser.get(url)
    packed = page.browser.get(url, headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == "application/json"
    assert len(packed.content) < len(plain.content)
    assert gzip.decompress(packed.content) == plain.content
    assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
