"""Engine `rehearsal`: no weights, a fixed time per second of audio, and generated words that say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_worker.asr.recognizer import EngineInfo, Recognition, Recording
from gpu_worker.config import read_rehearsal_speed
from gpu_worker.diarization.diarizer import Diarization, DiarizationCallbacks, SpeakerCounts
from gpu_worker.shared.transcript import Notice, Segment, Turn, Word
from gpu_worker.sound import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STEP_SECONDS = 0.1  # between two reports: so quickly a cancel is heard
SENTENCE = "This is sentence {number} of a rehearsal: nothing was recognized, and these words are filler."
WORD_SECONDS = 0.3
PAUSE_SECONDS = 0.6  # between two sentences
SHORTEST_WORD = 0.02
TURN_SECONDS = 9.0
USUAL_SPEAKERS = 2
NOTICE = Notice(
    code="REHEARSAL",
    message="This is a rehearsal: the worker runs without a speech model (WORKER_ENGINE=rehearsal) and these "
    "words are made up.",
)


class Rehearsal:
    """Replaces speech recognition to test a deployment or everything around it."""

    name = "rehearsal"

    def __init__(self, cache: Path) -> None:
        self._speed = read_rehearsal_speed()

    def info(self) -> EngineInfo:
        """Return facts without a GPU."""
        return EngineInfo()

    def offline_models(self, preferred: str) -> list[str]:
        """Return the configured model, although none is installed."""
        return [preferred]

    def load(self, model: str) -> str:
        """Accept every name."""
        return self.name

    def recognize(self, model: str, recording: Recording) -> Recognition:
        """Wait for the configured time, then fill the recording with sentences."""
        everything = [Span(0.0, recording.duration)]
        speech = everything if recording.speech is None else recording.speech
        recording.vad_progress(recording.duration)
        _go_through(recording.duration, self._speed, recording.progress)
        segments = list(_sentences(speech))
        if not recording.options.word_timestamps:
            for segment in segments:
                segment["words"] = []
        return Recognition("en", segments, [NOTICE])


class RehearsalDiarizer:
    """Generates turns for as many speakers as requested."""

    def __init__(self, cache: Path, pipeline: str, device: str) -> None:
        self._speed = read_rehearsal_speed()

    def load(self) -> str:
        """Do nothing."""
        return "rehearsal"

    def diarize(
        self, samples: NDArray[np.float32], counts: SpeakerCounts, callbacks: DiarizationCallbacks
    ) -> Diarization:
        """Wait for the configured time, then generate turns; raises what a callback raises."""
        duration = len(samples) / SAMPLE_RATE
        _go_through(duration, self._speed, lambda reached: callbacks.progress(reached / duration))
        callbacks.speech_detected([Span(0.0, duration)] if duration else [])
        callbacks.device_free()
        turns = list(_turns(duration, _how_many(counts)))
        settings = {"turnSeconds": TURN_SECONDS, "speakers": _how_many(counts)}
        return Diarization(turns, list(turns), "rehearsal", settings)


def _go_through(duration: float, speed: float, report: Callable[[float], None]) -> None:
    """Wait for `duration / speed` seconds, reporting the position to `report`, which may raise."""
    started = time.monotonic()
    while (reached := (time.monotonic() - started) * speed) < duration:
        report(reached)
        time.sleep(min(STEP_SECONDS, (duration - reached) / speed))
    if duration:
        report(duration)


def _sentences(speech: list[Span]) -> Iterator[Segment]:
    number = 0
    for span in speech:
        start = span.start
        while span.end - start >= SHORTEST_WORD:
            words = list(_words(SENTENCE.format(number=number + 1), Span(start, span.end)))
            end = words[-1]["end"]
            text = "".join(word["word"] for word in words)
            yield Segment(id=number, start=words[0]["start"], end=end, text=text, words=words)
            number, start = number + 1, end + PAUSE_SECONDS


def _words(sentence: str, room: Span) -> Iterator[Word]:
    """Return as much of the sentence as fits."""
    for number, word in enumerate(sentence.split()):
        start = room.start + number * WORD_SECONDS
        end = min(start + WORD_SECONDS, room.end)
        if end - start < SHORTEST_WORD:
            return
        yield Word(word=f" {word}", start=round(start, 3), end=round(end, 3), probability=0.9)


def _how_many(counts: SpeakerCounts) -> int:
    if counts.exact:
        return counts.exact
    wanted = max(USUAL_SPEAKERS, counts.low or 0)
    return min(wanted, counts.high) if counts.high else wanted


def _turns(duration: float, speakers: int) -> Iterator[Turn]:
    """Return turns that include every speaker, even in a short recording."""
    length = min(TURN_SECONDS, duration / speakers)
    number = 0
    while duration - number * length > SHORTEST_WORD:
        start, end = number * length, min((number + 1) * length, duration)
        yield Turn(start=round(start, 3), end=round(end, 3), speaker=f"SPEAKER_{number % speakers:02}")
        number += 1
