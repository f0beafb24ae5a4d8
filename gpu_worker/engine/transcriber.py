"""Converts one recording to its documents: diarization, transcription, and assignment of words to speakers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpu_worker.asr.recognizer import Recognition, Recognizer, Recording
from gpu_worker.diarization.attribution import attribute
from gpu_worker.diarization.diarizer import (
    Diarization,
    DiarizationCallbacks,
    DiarizationUnavailable,
    Diarizer,
    SpeakerCounts,
)
from gpu_worker.shared import transcript
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import SCHEMA_VERSION, Transcript
from gpu_worker.sound import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_DIARIZER = "This worker cannot identify speakers: its engine has no diarization."


@dataclass(frozen=True)
class Report:
    """Progress callbacks of a task. Each raises Canceled once the task is canceled.

    `stage` takes a stage of the protocol, `diarizing` a share 0-1, the others an audio position in seconds.
    """

    stage: Callable[[str], None]
    listening: Callable[[float], None]
    diarizing: Callable[[float], None]
    progress: Callable[[float], None]


@dataclass(frozen=True)
class Transcriber:
    """The two parts of the engine. `transcribe` may be called from several threads."""

    recognizer: Recognizer
    diarizer: Diarizer | None

    def transcribe(
        self, model: str, options: Options, samples: NDArray[np.float32], report: Report
    ) -> Transcript:
        """Return the transcript of mono float32 audio at SAMPLE_RATE.

        Raises Canceled, ModelUnavailable, DamagedWeights, DiarizationUnavailable, and what the models raise.
        """
        report.stage("loading_model")
        source = self.recognizer.load(model)
        speakers = self._speakers(options, samples, report)
        speech = speakers.wait_for_device() if speakers else None
        report.stage("transcribing")
        recording = Recording(
            samples, options, report.listening, report.progress, speech if options.vad_enabled else None
        )
        found = self.recognizer.recognize(model, recording)
        document = _document(found, recording, self.recognizer.name, model, source)
        if speakers:
            document = _with_speakers(document, speakers.result())
        return {**document, "flags": transcript.all_flags(document["segments"])}

    def _speakers(self, options: Options, samples: NDArray[np.float32], report: Report) -> _Speakers | None:
        if not options.diarization_enabled:
            return None
        if self.diarizer is None:
            raise DiarizationUnavailable(NO_DIARIZER)
        self.diarizer.load()
        report.stage("diarizing")
        counts = SpeakerCounts(options.num_speakers, options.min_speakers, options.max_speakers)
        return _Speakers(self.diarizer, samples, counts, report.diarizing)


class _Speakers:
    """One diarization in its own thread: since its clustering needs no GPU, transcription starts as soon as
    the rest is done."""

    def __init__(
        self,
        diarizer: Diarizer,
        samples: NDArray[np.float32],
        counts: SpeakerCounts,
        progress: Callable[[float], None],
    ) -> None:
        self._speech: list[Span] = []
        self._device_free = threading.Event()
        self._found: Future[Diarization] = Future()
        callbacks = DiarizationCallbacks(progress, self._speech.extend, self._device_free.set)

        def run() -> None:
            try:
                self._found.set_result(diarizer.diarize(samples, counts, callbacks))
            except BaseException as failure:  # told in the thread that waits
                self._found.set_exception(failure)
            finally:
                self._device_free.set()

        threading.Thread(target=run, name="diarization", daemon=True).start()

    def wait_for_device(self) -> list[Span]:
        """Wait for the GPU and return the speech spans; raises what diarization raised."""
        self._device_free.wait()
        if self._found.done():
            self._found.result()
        return self._speech

    def result(self) -> Diarization:
        """Wait for the turns; raises what diarization raised."""
        return self._found.result()


def documents(document: Transcript, title: str) -> dict[str, str]:
    """Return the transcript as documents by output type."""
    made = {
        "json": json.dumps(document, ensure_ascii=False),
        "markdown": transcript.to_markdown(document, title),
    }
    if "diarization" in document:
        made["diarization-json"] = json.dumps(document["turns"])
        made["speaker-markdown"] = transcript.to_markdown(document, title, with_speakers=True)
    return made


def _document(found: Recognition, recording: Recording, engine: str, model: str, source: str) -> Transcript:
    return Transcript(
        schemaVersion=SCHEMA_VERSION,
        text="".join(segment["text"] for segment in found.segments).strip(),
        language=found.language,
        duration=round(recording.duration, 3),
        segments=found.segments,
        speakers=[],
        turns=[],
        engine=engine,
        model=model,
        modelSource=source,
        flags=[],
        warnings=found.warnings,
    )


def _with_speakers(document: Transcript, found: Diarization) -> Transcript:
    return {
        **document,
        "segments": attribute(document["segments"], found),
        "speakers": sorted({turn["speaker"] for turn in found.turns}),
        "turns": found.turns,
        "exclusiveTurns": found.exclusive_turns,
        "diarization": {"pipeline": found.pipeline, "settings": found.settings},
    }
