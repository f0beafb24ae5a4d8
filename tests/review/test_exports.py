"""The files people download."""

import json
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gpu_worker.shared import transcript as document
from review import timeline, views
from review.edits.word_timing import words_from_json
from review.exports import FORMATS
from review.exports.subtitles import CUE_CHARACTERS, CUE_SECONDS, cues
from review.models import Transcript

WORDS = "So the mill closed in the spring of sixty two and my father went to the city to look for work there"


def words(text: str, start: float, step: float, speaker: str = "") -> list[dict[str, Any]]:
    named = {"speaker": speaker} if speaker else {}
    return [
        {
            "word": f" {w}",
            "start": start + i * step,
            "end": start + (i + 1) * step,
            "probability": 0.9,
            **named,
        }
        for i, w in enumerate(text.split())
    ]


DOCUMENT = {
    "language": "en",
    "duration": 3700.0,
    "segments": [
        {
            "start": 0.5,
            "end": 10.5,
            "text": f" {WORDS}",
            "words": words(WORDS, 0.5, 0.45),
            "speaker": "SPEAKER_00",
        },
        {
            "start": 11.0,
            "end": 12.0,
            "text": " Really?",
            "words": words("Really?", 11, 1),
            "speaker": "SPEAKER_01",
        },
        {"start": 3661.5, "end": 3663.0, "text": " <b>No</b> --> & so", "words": [], "speaker": "SPEAKER_01"},
    ],
    "model": "base",
    "engine": "reference",
    "warnings": [{"code": "X", "message": "said something"}],
}


@pytest.fixture
def transcript(transcript_of: Callable[[dict[str, Any]], Transcript]) -> Transcript:
    return transcript_of(DOCUMENT)


def test_the_rows_hold_what_the_worker_said(transcript: Transcript) -> None:
    first, second, third = transcript.segments.all()
    said = words_from_json(first.words)
    assert (first.text, said[0].text, first.machine_text) == (WORDS, "So", WORDS)
    assert [str(row.speaker) for row in (first, second, third)] == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_01"]
    assert [speaker.colour for speaker in transcript.speakers.all()] == [1, 2]
    assert (transcript.duration, transcript.model, transcript.warnings[0]["code"]) == (3700.0, "base", "X")


def test_txt_names_a_speaker_once_a_turn(transcript: Transcript) -> None:
    text = FORMATS["txt"].write(timeline.of(transcript))
    assert text == f"SPEAKER_00:\n{WORDS}\n\nSPEAKER_01:\nReally?\n<b>No</b> --> & so\n"


def test_srt_is_numbered_timed_and_cannot_be_forged(transcript: Transcript) -> None:
    blocks = FORMATS["srt"].write(timeline.of(transcript)).strip().split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [str(n + 1) for n in range(len(blocks))]
    assert blocks[0].split("\n")[1].startswith("00:00:00,500 --> 00:00:0")
    assert blocks[-1] == "4\n01:01:01,500 --> 01:01:03,000\nSPEAKER_01: <b>No</b> → & so"


def test_cues_can_be_read(transcript: Transcript) -> None:
    made = list(cues(timeline.of(transcript)))
    spoken = " ".join(cue.text.replace("\n", " ") for cue in made if cue.speaker == "SPEAKER_00")
    assert spoken == WORDS
    for cue, following in pairwise(made):
        assert cue.end - cue.start <= CUE_SECONDS + 0.01
        assert len(cue.text) <= CUE_CHARACTERS
        assert cue.end <= following.start
        assert all(len(line) <= 42 for line in cue.text.split("\n"))


def test_vtt_escapes_what_a_player_would_run(transcript: Transcript) -> None:
    text = FORMATS["vtt"].write(timeline.of(transcript))
    assert text.startswith("WEBVTT\n\n00:00:00.500 --> ")
    assert "<v SPEAKER_01>&lt;b&gt;No&lt;/b&gt; → &amp; so" in text


def test_json_is_a_transcript_document_again(transcript: Transcript) -> None:
    parsed = document.parse(json.loads(FORMATS["json"].write(timeline.of(transcript))))
    original = document.parse(DOCUMENT)
    for ours, theirs in zip(parsed["segments"], original["segments"], strict=True):
        assert (ours["start"], ours["end"], ours["text"]) == (
            theirs["start"],
            theirs["end"],
            theirs["text"].strip(),
        )
        assert (
            "".join(w["word"] for w in ours["words"]) == "".join(w["word"] for w in theirs["words"]).strip()
        )
        assert ours["speaker"] == theirs["speaker"]
    assert parsed["speakers"] == original["speakers"]


def test_a_silent_recording_exports_to_valid_empty_files(
    transcript_of: Callable[[dict[str, Any]], Transcript],
) -> None:
    made = transcript_of({"segments": [], "language": "en", "duration": 60.0})
    texts = {name: form.write(timeline.of(made)) for name, form in FORMATS.items()}
    assert (texts["txt"].strip(), texts["srt"], texts["vtt"]) == ("", "", "WEBVTT\n")
    assert json.loads(texts["json"])["segments"] == []


def test_a_download_has_the_recordings_name(browser: Client, transcript: Transcript) -> None:
    for name in FORMATS:
        response = browser.get(f"/transcripts/{transcript.pk}/download.{name}")
        assert response.status_code == 200
        assert response["Content-Disposition"] == f"attachment; filename*=UTF-8''file-0.{name}"
    assert browser.get(f"/transcripts/{transcript.pk}/download.exe").status_code == 404


def test_the_page_shows_the_first_text_at_once_and_runs_no_markup(
    browser: Client, transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = browser.get(f"/transcripts/{transcript.pk}/").content.decode()
    assert "&lt;b&gt;No&lt;/b&gt;" in page
    assert "<b>No</b>" not in page
    assert f"/uploads/{transcript.job_input.upload_id}/media" in page
    assert f'data-url="/api/transcripts/{transcript.pk}"' in page
    assert "said something" in page
    assert "all=1" not in page
    monkeypatch.setattr(views, "FIRST_SEGMENTS", 1)
    address = f"/transcripts/{transcript.pk}/"
    first, whole = (browser.get(address + query).content.decode() for query in ("", "?all=1"))
    assert "all=1" in first, "without JavaScript the rest is a click away"
    assert len(re.findall('class="said"', whole)) > len(re.findall('class="said"', first))


def test_a_stranger_finds_no_transcript(stranger: User, transcript: Transcript) -> None:
    client = Client()
    client.force_login(stranger)
    assert client.get(f"/transcripts/{transcript.pk}/").status_code == 404
    assert client.get(f"/transcripts/{transcript.pk}/download.txt").status_code == 404
