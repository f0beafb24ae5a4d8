"""Flags with scores for segments and words that should be reviewed. Deletes nothing. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from gpu_worker.asr.hallucination_filters import Thresholds, has_little_speech, speech_share
from gpu_worker.shared.transcript import Segment, flag_segment, flag_word
from gpu_worker.sound import Span

UNSURE_SEGMENT = 0.5  # mean probability of a token
UNSURE_WORD = 0.35  # probability of a word
REPETITIVE = 2.4  # zlib ratio above which whisper itself retries
REPEATS = 4  # times that the same few words follow each other
LONGEST_PHRASE = 5  # words that are looked at as one repeated phrase
FASTEST = 25.0  # characters a second; quick speakers reach 20
SHORTEST = 0.2  # seconds below which a rate says nothing

# What speech models write where nobody speaks: captions of the videos they learnt from.
KNOWN_PHRASES = frozenset(
    {
        "thank you for watching",
        "thanks for watching",
        "please subscribe",
        "please subscribe to the channel",
        "see you in the next video",
        "subtitles by the amara org community",
        "subtitles by amara org",
        "untertitel der amara org community",
        "untertitelung des zdf",
        "vielen dank fürs zuschauen",
        "merci d avoir regardé cette vidéo",
        "sous titres réalisés par la communauté d amara org",
        "gracias por ver el video",
        "subtítulos realizados por la comunidad de amara org",
        "obrigado por assistir",
        "sottotitoli creati dalla comunità amara org",
        "grazie per aver guardato il video",
        "продолжение следует",
        "спасибо за просмотр",
        "ご視聴ありがとうございました",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
    }
)


def flag(segment: Segment, thresholds: Thresholds, speech: Sequence[Span] | None) -> None:
    """Set the flags of a segment and its words. `speech` as in hallucination_filters.is_rejected."""
    confidence = math.exp(min(0.0, segment.get("avg_logprob", 0.0)))
    if confidence < UNSURE_SEGMENT:
        flag_segment(segment, "low_confidence", 1.0 - confidence)
    repeated = _repetition(segment)
    if repeated:
        flag_segment(segment, "repetition", repeated)
    silence = segment.get("no_speech_prob", 0.0)
    if silence > thresholds.no_speech or has_little_speech(segment, thresholds, speech):
        unspoken = 0.0 if speech is None else 1.0 - speech_share(segment, speech)
        flag_segment(segment, "no_speech", max(silence, unspoken))
    rate = _rate(segment)
    if rate > FASTEST:
        flag_segment(segment, "too_fast", min(1.0, rate / (2 * FASTEST)))
    if _plain(segment["text"]) in KNOWN_PHRASES:
        flag_segment(segment, "known_phrase", 1.0)
    for word in segment["words"]:
        if word["probability"] < UNSURE_WORD:
            flag_word(word, "low_confidence")


def _repetition(segment: Segment) -> float:
    """Return the share of the segment that is repetition, 0-1."""
    words = _plain(segment["text"]).split()
    share = max((_repeated(words, size) for size in range(1, LONGEST_PHRASE + 1)), default=0.0)
    ratio = segment.get("compression_ratio", 0.0)
    return max(share, min(1.0, ratio / (2 * REPETITIVE)) if ratio > REPETITIVE else 0.0)


def _repeated(words: Sequence[str], size: int) -> float:
    """Return the share of words in the longest run of a phrase of `size` words, if it is long enough."""
    runs: Counter[int] = Counter()
    for start in range(len(words)):
        count = 1
        while words[start + count * size : start + (count + 1) * size] == words[start : start + size]:
            count += 1
            if start + (count + 1) * size > len(words):
                break
        runs[start] = count
    longest = max(runs.values(), default=0)
    return min(1.0, longest * size / len(words)) if longest >= REPEATS else 0.0


def _rate(segment: Segment) -> float:
    """Return characters per second, without spaces."""
    seconds = segment["end"] - segment["start"]
    letters = len("".join(segment["text"].split()))
    return letters / seconds if seconds >= SHORTEST else 0.0


def _plain(text: str) -> str:
    """Return lowercase words separated by single spaces."""
    return " ".join(re.findall(r"\w+", text.lower()))
