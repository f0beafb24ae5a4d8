"""Which text is not believed, and what a person is asked to look at."""

from __future__ import annotations

from typing import Any

import pytest

from gpu_worker.asr import flags
from gpu_worker.asr.hallucination_filters import (
    Thresholds,
    is_rejected,
    rejection_notice,
    speech_share,
    thresholds_for,
)
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Segment, Word
from gpu_worker.sound import Span

USUAL = thresholds_for(Options())
SPOKEN = [Span(0.0, 100.0)]


def segment(text: str = " This is what was said.", **metrics: Any) -> Segment:
    words = [Word(word=f" {w}", start=10.0, end=12.0, probability=0.9) for w in text.split()]
    made: dict[str, Any] = {
        "id": 0, "start": 10.0, "end": 12.0, "text": text, "words": words, "temperature": 0.0,
        "avg_logprob": -0.2, "compression_ratio": 1.3, "no_speech_prob": 0.01, **metrics,
    }  # fmt: skip
    return Segment(**made)  # type: ignore[typeddict-item]


def flagged(found: Segment, speech: list[Span] | None = SPOKEN) -> list[str]:
    flags.flag(found, USUAL, speech)
    return found.get("flags", [])


def test_half_sensitivity_is_whispers_own() -> None:
    assert thresholds_for(Options()) == Thresholds(pytest.approx(2.4), pytest.approx(-1.0), 0.6)


def test_more_sensitivity_believes_less_and_none_believes_all() -> None:
    strict, lenient = (thresholds_for(Options(hallucination_sensitivity=s)) for s in (1.0, 0.0))
    assert strict.compression_ratio is not None
    assert lenient.compression_ratio is not None
    assert strict.compression_ratio < 2.4 < lenient.compression_ratio
    assert strict.logprob is not None
    assert lenient.logprob is not None
    assert strict.logprob > -1.0 > lenient.logprob
    off = thresholds_for(Options(hallucination_detection=False, no_speech_threshold=0.3))
    assert off == Thresholds(None, None, 0.3)


BAD = {"temperature": 1.0, "avg_logprob": -1.7}


@pytest.mark.parametrize(
    ("metrics", "speech", "expected"),
    [
        (BAD, [], True),
        (BAD, [Span(0.0, 10.5)], True),  # a quarter of it
        (BAD, [Span(0.0, 11.0)], False),  # half of it
        ({**BAD, "temperature": 0.8}, [], False),  # there was another rung
        ({"temperature": 1.0}, [], False),  # it became good
        ({"temperature": 1.0, "compression_ratio": 9.0}, [], True),
        ({**BAD, "no_speech_prob": 0.9}, None, True),  # nobody listened: whisper's guess counts
        (BAD, None, False),
    ],
)
def test_the_last_rung_is_rejected_when_bad_and_little_speech_is_there(
    metrics: dict[str, float], speech: list[Span] | None, expected: bool
) -> None:
    assert is_rejected(segment(**metrics), USUAL, 1.0, speech) is expected


def test_with_the_guards_off_nothing_is_rejected() -> None:
    off = thresholds_for(Options(hallucination_detection=False))
    assert not is_rejected(segment(**BAD), off, 1.0, [])


@pytest.mark.parametrize(
    ("spans", "share"),
    [
        ([], 0.0),
        ([Span(0, 10), Span(12, 20)], 0.0),
        ([Span(0, 10.5), Span(11.5, 30)], 0.5),
        ([Span(1, 2), Span(10.2, 10.4), Span(11, 11.3), Span(40, 50)], 0.25),
    ],
)
def test_the_share_of_speech_counts_what_lies_inside(spans: list[Span], share: float) -> None:
    assert speech_share(segment(), spans) == pytest.approx(share)
    assert speech_share(segment(end=10.0), [Span(9, 11)]) == 1.0


def test_what_was_left_out_is_told() -> None:
    (notice,) = rejection_notice([segment(), segment()])
    assert notice["code"] == "TEXT_REJECTED"
    assert "4.0 s in 2 segment(s) without detectable speech, the first at 00:10." in notice["message"]
    assert rejection_notice([]) == []


def test_good_text_has_no_flag() -> None:
    assert flagged(segment()) == []


@pytest.mark.parametrize(
    ("name", "found", "speech"),
    [
        ("low_confidence", segment(avg_logprob=-0.9), SPOKEN),
        ("repetition", segment(compression_ratio=3.1), SPOKEN),
        ("repetition", segment(" no no no no no", end=14.0), SPOKEN),
        ("repetition", segment(" and so on and so on and so on and so on", end=20.0), SPOKEN),
        ("no_speech", segment(no_speech_prob=0.8), SPOKEN),
        ("no_speech", segment(), []),
        (
            "too_fast",
            segment(" So many words that nobody could ever say them all in a second", end=11.0),
            SPOKEN,
        ),
        ("known_phrase", segment(" Thanks for watching!"), SPOKEN),
        ("known_phrase", segment(" Vielen Dank fürs Zuschauen."), SPOKEN),
        ("known_phrase", segment(" ご視聴ありがとうございました"), SPOKEN),
    ],
)
def test_each_flag_comes_alone_with_a_score(name: str, found: Segment, speech: list[Span]) -> None:
    assert flagged(found, speech) == [name]
    assert 0 <= found["flag_scores"][name] <= 1


def test_said_twice_is_not_a_repetition() -> None:
    assert flagged(segment(" Yes, yes, it is, it is.")) == []


def test_an_unsure_word_is_flagged_on_its_own() -> None:
    found = segment(" one two")
    found["words"][1]["probability"] = 0.2
    assert flagged(found) == []
    assert [word.get("flags", []) for word in found["words"]] == [[], ["low_confidence"]]
