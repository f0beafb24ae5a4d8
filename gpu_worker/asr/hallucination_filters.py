"""When decoded text is not to be believed: decoded again at a higher temperature, and at the highest left out. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Notice, Segment, clock
from gpu_worker.sound import Span

LITTLE_SPEECH = 0.3  # of a segment: with less, nobody says what is written there


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one recording; None where a person switched the filters off.

    `compression_ratio` (of the text by zlib) above, or `logprob` (mean of the tokens) below, sends a window
    to the next temperature.
    """

    compression_ratio: float | None
    logprob: float | None
    no_speech: float


def thresholds_for(options: Options) -> Thresholds:
    """Whisper's own thresholds at sensitivity 0.5; stricter above, more lenient below."""
    if not options.hallucination_detection:
        return Thresholds(None, None, options.no_speech_threshold)
    sensitivity = options.hallucination_sensitivity
    return Thresholds(2.8 - 0.8 * sensitivity, sensitivity - 1.5, options.no_speech_threshold)


def is_rejected(
    segment: Segment, thresholds: Thresholds, highest_temperature: float, speech: Sequence[Span] | None
) -> bool:
    """Whether to leave a segment out: bad even at the highest temperature, and little speech there.

    `highest_temperature` is the last one tried. `speech` is where anybody speaks; None where nothing
    looked for it, and then whisper's own guess counts.
    """
    if thresholds.compression_ratio is None or thresholds.logprob is None:
        return False
    is_last = segment.get("temperature", 0.0) >= highest_temperature
    is_bad = (
        segment.get("compression_ratio", 0.0) > thresholds.compression_ratio
        or segment.get("avg_logprob", 0.0) < thresholds.logprob
    )
    return is_last and is_bad and has_little_speech(segment, thresholds, speech)


def has_little_speech(segment: Segment, thresholds: Thresholds, speech: Sequence[Span] | None) -> bool:
    """Return whether a segment contains almost no speech."""
    if speech is None:
        return segment.get("no_speech_prob", 0.0) > thresholds.no_speech
    return speech_share(segment, speech) < LITTLE_SPEECH


def speech_share(segment: Segment, speech: Sequence[Span]) -> float:
    """Return the share of a segment that is speech, 0-1. `speech` is sorted without overlaps."""
    start, end = segment["start"], segment["end"]
    spoken = 0.0
    first = bisect_left(speech, start, key=lambda span: span.end)
    for span in speech[first : bisect_right(speech, end, key=lambda span: span.start)]:
        if start == end:
            return 1.0
        spoken += min(span.end, end) - max(span.start, start)
    return spoken / (end - start) if end > start else 0.0


def rejection_notice(rejected: Sequence[Segment]) -> list[Notice]:
    """Return a warning about rejected text, so that nothing disappears silently."""
    if not rejected:
        return []
    seconds = sum(segment["end"] - segment["start"] for segment in rejected)
    first = rejected[0]["start"]
    return [
        Notice(
            code="TEXT_REJECTED",
            message=f"Removed likely hallucinations: {seconds:.1f} s in {len(rejected)} segment(s) without detectable "
            f"speech, the first at {clock(first)}. Turn off hallucination detection to keep them.",
        )
    ]
