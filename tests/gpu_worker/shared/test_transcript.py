"""The transcript document: reading it, flags on it, the pages to read."""

from __future__ import annotations

from gpu_worker.shared.transcript import (
    Segment,
    Transcript,
    Word,
    all_flags,
    flag_segment,
    flag_word,
    parse,
    to_markdown,
)


def said(text: str, start: float, end: float, speaker: str = "") -> Segment:
    row = Segment(id=0, start=start, end=end, text=text, words=[])
    return Segment(**row, speaker=speaker) if speaker else row


def document(*segments: Segment) -> Transcript:
    return parse({"segments": [*segments]})


def test_neighbouring_segments_of_one_speaker_are_one_paragraph() -> None:
    page = to_markdown(
        document(
            said(" So we went there.", 3700, 3703, "SPEAKER_00"),
            said(" It rained.", 3703.5, 3705, "SPEAKER_00"),
            said(" Really?", 3705, 3706, "SPEAKER_01"),
            said(" Yes.", 3706, 3707, "SPEAKER_00"),
            said(" Quite.", 3709.5, 3710, "SPEAKER_00"),
            said(" (unclear)", 3710, 3711),
        ),
        "A walk",
        with_speakers=True,
    )
    assert page.splitlines()[::2] == [
        "# A walk",
        "**[01:01:40] SPEAKER_00** So we went there. It rained.",
        "**[01:01:45] SPEAKER_01** Really?",
        "**[01:01:46] SPEAKER_00** Yes.",
        "**[01:01:49] SPEAKER_00** Quite.",
        "**[01:01:50]** (unclear)",
    ]


def test_a_long_speech_begins_a_new_paragraph_at_a_sentence() -> None:
    speech = [said(" and on." if i % 5 == 4 else " and on", 4.0 * i, 4.0 * i + 4, "A") for i in range(40)]
    lines = to_markdown(document(*speech), "On", with_speakers=True).splitlines()
    assert [line.split("]")[0] for line in lines[2::2]] == ["**[00:00", "**[01:00", "**[02:00"]


def test_the_page_without_speakers_has_a_paragraph_a_segment() -> None:
    page = to_markdown(document(said(" One.", 0, 1, "A"), said(" Two.", 1, 2, "A")), "Count")
    assert page == "# Count\n\n**[00:00]** One.\n\n**[00:01]** Two.\n"


def test_flags_and_what_told_speakers_apart_are_read_with_tolerance() -> None:
    word = {"word": " a", "start": 0, "end": 1, "probability": 1, "flags": ["overlap", 7]}
    row = {
        "start": 0,
        "end": 1,
        "text": " a",
        "words": [word],
        "flags": ["overlap", None],
        "flag_scores": {"overlap": 7, "odd": "x", "other": 0.25},
    }
    read = parse(
        {
            "segments": [row],
            "exclusiveTurns": [{"start": 0, "end": 1, "speaker": "A"}],
            "diarization": {"pipeline": "open", "settings": {"threshold": 0.6}},
        }
    )
    [segment] = read["segments"]
    assert (segment["flags"], segment["words"][0]["flags"]) == (["overlap"], ["overlap"])
    assert segment["flag_scores"] == {"overlap": 1.0, "other": 0.25}
    assert read["exclusiveTurns"] == [{"start": 0, "end": 1, "speaker": "A"}]
    assert read["diarization"] == {"pipeline": "open", "settings": {"threshold": 0.6}}
    plain = parse({"segments": [], "diarization": "yes"})
    assert "diarization" not in plain and "exclusiveTurns" not in plain
    assert parse({"segments": [], "diarization": {}})["diarization"] == {"pipeline": "", "settings": {}}


def test_a_flag_is_raised_once_and_keeps_its_latest_score() -> None:
    row = said(" a", 0, 1)
    flag_segment(row, "overlap", 0.5)
    flag_segment(row, "no_speech", 0.77777)
    flag_segment(row, "overlap", 0.6)
    assert row["flags"] == ["overlap", "no_speech"]
    assert row["flag_scores"] == {"overlap": 0.6, "no_speech": 0.778}
    word = Word(word=" a", start=0, end=1, probability=0.1)
    flag_word(word, "low_confidence")
    assert word["flags"] == ["low_confidence"] and "flag_scores" not in word
    assert all_flags([row, said(" b", 1, 2)]) == ["no_speech", "overlap"]
