"""Engine `reference`: openai-whisper, window by window, behind voice detection."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpu_worker.asr import flags, hallucination_filters, vad, weights
from gpu_worker.asr.recognizer import EngineInfo, Recognition, Recording
from gpu_worker.asr.windows import WINDOW_SECONDS, pack, quietest_point
from gpu_worker.errors import Fault
from gpu_worker.logs import log
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Notice, Segment, Word
from gpu_worker.sound import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from whisper.model import Whisper

MODELS_KEPT = 2  # the preloaded one and the one last asked for
TEMPERATURE_STEP = 0.2  # whisper's fallback goes up in these steps to 1.0


class OpenAIWhisper:
    """Calls `whisper.transcribe` for each window of speech and maps its times to the file."""

    name = "reference"

    def __init__(self, cache: Path) -> None:
        import torch

        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._cache = cache
        self._models: OrderedDict[str, weights.LoadedModel] = OrderedDict()
        self._loading = threading.Lock()
        # whisper hangs hooks on the model while it finds word times: one window at a time.
        self._decoding = threading.Lock()

    def info(self) -> EngineInfo:
        """Return the GPU, if any, and the versions of the libraries."""
        import torch

        has_gpu = self._device == "cuda"
        return EngineInfo(
            gpu=has_gpu,
            gpu_name=torch.cuda.get_device_name() if has_gpu else "",
            cuda=torch.version.cuda or "" if has_gpu else "",
            versions={name: version(name) for name in ("torch", "openai-whisper", "silero-vad", "av")},
        )

    def offline_models(self, preferred: str) -> list[str]:
        """Return the models that load without a network."""
        return weights.offline_models(preferred)

    def load(self, model: str) -> str:
        """Load the model if necessary; return the source of its weights."""
        return self._model(model).source

    def recognize(self, model: str, recording: Recording) -> Recognition:
        """Transcribe every window with speech."""
        loaded = self._model(model).whisper
        speech = _speech_spans(recording)
        windows = _windows(recording, speech)
        language = self._language(loaded, recording, windows)
        found: list[Segment] = []
        for window in windows:
            found += self._decode(loaded, recording, window, language)
            recording.progress(window.end)
        kept, rejected = _filter_hallucinations(found, recording.options, speech)
        notices = [*_notices(loaded, recording.options), *hallucination_filters.rejection_notice(rejected)]
        return Recognition(language, kept, notices)

    def _model(self, name: str) -> weights.LoadedModel:
        with self._loading:
            if name not in self._models:
                while len(self._models) >= MODELS_KEPT:
                    self._models.popitem(last=False)
                self._models[name] = self._load(name)
            self._models.move_to_end(name)
            return self._models[name]

    def _load(self, name: str) -> weights.LoadedModel:
        from gpu_worker.asr.encoder import speed_up

        started = time.monotonic()
        try:
            loaded = weights.load(name, self._cache, self._device)
        except RuntimeError as failure:
            if not self._models or "out of memory" not in str(failure):
                raise
            self._models.clear()  # room for one: the models before it go
            loaded = weights.load(name, self._cache, self._device)
        speed_up(loaded.whisper)
        _warm_up()
        seconds = round(time.monotonic() - started, 3)
        log("model_loaded", model=name, source=loaded.source, device=self._device, seconds=seconds)
        return loaded

    def _language(self, model: Whisper, recording: Recording, windows: list[Span]) -> str:
        """Return the requested language, else the most likely one in the first 30 s of speech."""
        if not model.is_multilingual:
            return "en"
        import numpy as np
        import whisper
        from whisper.tokenizer import LANGUAGES

        asked = recording.options.language
        if asked in list(LANGUAGES)[model.num_languages :]:
            raise Fault(
                "INVALID_REQUEST", f"This model does not support the language {asked}; large-v3 does."
            )
        if asked or not windows:
            return asked
        speech = np.concatenate(
            [_samples_in(recording, window) for window in _first_windows(windows, WINDOW_SECONDS)]
        )
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(speech), model.dims.n_mels)
        dtype = next(model.encoder.parameters()).dtype
        with self._decoding:
            _, probabilities = model.detect_language(mel.to(model.device, dtype))
        likeliest: str = max(probabilities, key=probabilities.get)
        return likeliest

    def _decode(self, model: Whisper, recording: Recording, window: Span, language: str) -> list[Segment]:
        import whisper

        options = recording.options
        thresholds = hallucination_filters.thresholds_for(options)
        with self._decoding, _cancelable(model, recording, window):
            result = whisper.transcribe(
                model,
                _samples_in(recording, window),
                verbose=None,
                language=language,
                task=options.task,
                temperature=_temperatures(options.temperature),
                beam_size=options.beam_size,
                no_speech_threshold=None if thresholds.logprob is None else thresholds.no_speech,
                compression_ratio_threshold=thresholds.compression_ratio,
                logprob_threshold=thresholds.logprob,
                initial_prompt=_prompt(options),
                condition_on_previous_text=False,
                word_timestamps=options.word_timestamps,
                fp16=model.device.type == "cuda",
            )
        rows: list[dict[str, Any]] = result["segments"]
        return [_segment(row, window) for row in rows if row["text"].strip()]


def _speech_spans(recording: Recording) -> list[Span] | None:
    """Where anybody speaks; None where voice detection is off."""
    if recording.speech is not None:
        return recording.speech
    if recording.options.vad_enabled:
        return vad.speech_spans(recording.samples, recording.vad_progress)
    return None


def _windows(recording: Recording, speech: list[Span] | None) -> list[Span]:
    def quietest(span: Span) -> float:
        return quietest_point(recording.samples, span)

    whole = [Span(0.0, recording.duration)]
    return pack(whole if speech is None else speech, recording.duration, quietest)


@contextmanager
def _cancelable(model: Whisper, recording: Recording, window: Span) -> Iterator[None]:
    """Check for cancellation before every token, since one window takes long on a slow machine."""

    def check(*_: object) -> None:
        recording.progress(window.start)

    hooks = [part.register_forward_pre_hook(check) for part in (model.encoder, model.decoder)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _filter_hallucinations(
    found: list[Segment], options: Options, speech: list[Span] | None
) -> tuple[list[Segment], list[Segment]]:
    """Return the accepted segments, numbered and flagged, and the rejected ones."""
    thresholds = hallucination_filters.thresholds_for(options)
    highest_temperature = _temperatures(options.temperature)[-1]
    kept: list[Segment] = []
    rejected: list[Segment] = []
    for segment in found:
        is_rejected = hallucination_filters.is_rejected(segment, thresholds, highest_temperature, speech)
        (rejected if is_rejected else kept).append(segment)
    for number, segment in enumerate(kept):
        segment["id"] = number
        flags.flag(segment, thresholds, speech)
    return kept, rejected


def _samples_in(recording: Recording, span: Span) -> NDArray[np.float32]:
    import numpy as np

    first, last = int(span.start * SAMPLE_RATE), int(span.end * SAMPLE_RATE)
    return np.array(recording.samples[first:last], dtype=np.float32)


def _first_windows(windows: list[Span], seconds: float) -> list[Span]:
    taken = []
    for window in windows:
        if seconds <= 0:
            break
        taken.append(window)
        seconds -= window.end - window.start
    return taken


def _temperatures(temperature: float) -> tuple[float, ...]:
    """Return the requested temperature and whisper's higher steps, used while the text looks wrong."""
    steps = round((1.0 - temperature) / TEMPERATURE_STEP)
    return tuple(round(min(1.0, temperature + i * TEMPERATURE_STEP), 2) for i in range(steps + 1))


def _prompt(options: Options) -> str | None:
    """Return the prompt with hotwords, since whisper supports hotwords only through its prompt."""
    parts = (options.initial_prompt.strip(), options.hotwords.strip())
    return ", ".join(part for part in parts if part) or None


def _segment(row: dict[str, Any], window: Span) -> Segment:
    """Convert a segment of whisper to file time, limited to its window."""

    def at(seconds: float) -> float:
        return round(min(max(window.start + float(seconds), window.start), window.end), 3)

    return Segment(
        id=0,
        start=at(row["start"]),
        end=at(row["end"]),
        text=row["text"],
        words=[
            Word(
                word=word["word"],
                start=at(word["start"]),
                end=at(word["end"]),
                probability=round(float(word["probability"]), 4),
            )
            for word in row.get("words", ())
        ],
        temperature=float(row["temperature"]),
        avg_logprob=float(row["avg_logprob"]),
        compression_ratio=float(row["compression_ratio"]),
        no_speech_prob=float(row["no_speech_prob"]),
    )


def _notices(model: Whisper, options: Options) -> list[Notice]:
    if model.is_multilingual or options.language in ("", "en"):
        return []
    return [
        Notice(
            code="LANGUAGE_IGNORED",
            message=f"This model supports English only; the language {options.language} was ignored.",
        )
    ]


def _warm_up() -> None:
    """Compile whisper's word alignment (numba, several seconds) before the first job."""
    import numpy as np
    import torch
    from whisper.timing import dtw

    dtw(torch.from_numpy(np.zeros((4, 4), dtype=np.float32)))
