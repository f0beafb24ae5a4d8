"""Diarization with pyannote.audio's own pipelines: community-1 with a token, the open one without."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpu_worker.diarization import speaker_reassignment, starter
from gpu_worker.diarization.diarizer import (
    Diarization,
    DiarizationCallbacks,
    DiarizationUnavailable,
    SpeakerCounts,
)
from gpu_worker.logs import log
from gpu_worker.shared.transcript import Turn
from gpu_worker.sound import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMMUNITY = "pyannote/speaker-diarization-community-1"
OPEN = "segmentation-3.0 + CAM++ (starter weights)"
LOCAL = "local folder"
OPEN_SETTINGS = {
    "segmentation": {"min_duration_off": 0.0},
    # The threshold belongs to the embedding: 0.6 for CAM++ (0.7045 would be WeSpeaker's).
    "clustering": {"method": "centroid", "min_cluster_size": 12, "threshold": 0.6},
}
BATCHES = {"cuda": 64, "cpu": 16}  # chunks of 10 s; small on a CPU, so that a cancel is heard within a second
SHORTEST = 0.1  # seconds: less than this holds no turn
SEGMENTATION_SHARE = 0.3  # of the time that progress tells; the rest are embeddings


class PyannoteDiarizer:
    """One loaded pipeline. `pipeline` is empty for the default, a hub name, or a local folder."""

    def __init__(self, cache: Path, pipeline: str, device: str) -> None:
        self._cache = cache
        self._token = os.environ.get("HF_TOKEN", "").strip()
        self._wanted = pipeline or (COMMUNITY if self._token else "")
        self._device = device
        self._lock = threading.Lock()  # a pipeline holds state: one recording at a time
        self._pipeline: Any = None

    @property
    def name(self) -> str:
        """Return the name of the pipeline for the transcript."""
        if not self._wanted:
            return OPEN
        return LOCAL if Path(self._wanted).exists() else self._wanted

    def load(self) -> str:
        """Load the pipeline if necessary and return its name. Raises DiarizationUnavailable."""
        with self._lock:
            if self._pipeline is None:
                started = time.monotonic()
                with _quiet(), _flags_restored():
                    self._pipeline = self._load()
                log("diarization_loaded", pipeline=self.name, seconds=round(time.monotonic() - started, 3))
        return self.name

    def diarize(
        self, samples: NDArray[np.float32], counts: SpeakerCounts, callbacks: DiarizationCallbacks
    ) -> Diarization:
        """Identify speakers; see Diarizer."""
        self.load()
        if len(samples) < SHORTEST * SAMPLE_RATE:
            callbacks.speech_detected([])
            callbacks.device_free()
            return Diarization([], [], self.name, self._settings(counts))
        import numpy as np
        import torch

        waveform = torch.from_numpy(np.array(samples, dtype=np.float32))[None]
        file = {"waveform": waveform, "sample_rate": SAMPLE_RATE, "uri": "recording"}
        with self._lock, _quiet(), _flags_restored():
            found = self._pipeline(file, hook=_Hook(callbacks), **_asked(counts))
            regular, exclusive = _both(found)
            if not self._wanted:
                regular, exclusive = _reassign_isolated_turns(
                    self._pipeline, waveform, found, regular, exclusive
                )
        names = _in_order_of_appearance(regular)
        return Diarization(
            _named(regular, names), _named(exclusive, names), self.name, self._settings(counts)
        )

    def _load(self) -> Any:
        os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # it reports durations to its vendor otherwise
        try:
            import torch

            from gpu_worker.diarization.embeddings import accelerate

            pipeline = self._from_hub() if self._wanted else open_pipeline()
            device = torch.device(_device(self._device))
            pipeline.to(device)
            accelerate(pipeline)
            pipeline.trunk_dtype = _trunk_dtype(device)
            pipeline.embedding_batch_size = pipeline.segmentation_batch_size = BATCHES[device.type]
        except ImportError as failure:
            reason = f"pyannote.audio cannot be imported ({failure}): pip install -r requirements/worker.txt."
            raise DiarizationUnavailable(reason) from failure
        return pipeline

    def _from_hub(self) -> Any:
        from huggingface_hub.errors import HfHubHTTPError
        from pyannote.audio import Pipeline

        try:
            pipeline = Pipeline.from_pretrained(self._wanted, token=self._token or None)
        except (HfHubHTTPError, OSError, ValueError, KeyError) as failure:
            raise DiarizationUnavailable(self._why(type(failure).__name__)) from failure
        if pipeline is None:  # how pyannote says that access was refused
            raise DiarizationUnavailable(self._why("access was refused"))
        return pipeline

    def _why(self, reason: str) -> str:
        if self.name == LOCAL:
            return f"DIARIZATION_PIPELINE is a folder without a pyannote pipeline ({reason})."
        return (
            f"The pipeline {self.name} cannot be loaded ({reason}): accept its conditions on its page at "
            "huggingface.co, set HF_TOKEN to a token that can read it, and allow this machine to reach the hub. "
            "Without HF_TOKEN and DIARIZATION_PIPELINE, the open pipeline of the starter weights is used."
        )

    def _settings(self, counts: SpeakerCounts) -> dict[str, Any]:
        pipeline = self._pipeline
        return {
            "numSpeakers": counts.exact,
            "minSpeakers": counts.low,
            "maxSpeakers": counts.high,
            "parameters": pipeline.parameters(instantiated=True),
            "trunk": str(getattr(pipeline, "trunk_dtype", "")).removeprefix("torch."),
            "batch": getattr(pipeline, "embedding_batch_size", None),
            "pyannote.audio": version("pyannote.audio"),
        }


class _Hook:
    """What pyannote calls while it works, passed on to the callbacks."""

    def __init__(self, callbacks: DiarizationCallbacks) -> None:
        self._callbacks = callbacks

    def __call__(self, step: str, artifact: Any, **progress: Any) -> None:
        done, total = progress.get("completed"), progress.get("total")
        if step == "segmentation" and total:
            self._callbacks.progress(SEGMENTATION_SHARE * min(1.0, done / total))
        elif step == "speaker_counting":
            speech = _spans(artifact)
            self._callbacks.speech_detected(speech)
        elif step == "embeddings" and total:
            self._callbacks.progress(SEGMENTATION_SHARE + (1 - SEGMENTATION_SHARE) * min(1.0, done / total))
        elif step == "embeddings":
            self._callbacks.device_free()


def open_pipeline() -> Any:
    """Return pyannote's stock class with the starter weights. Raises DiarizationUnavailable."""
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    from gpu_worker.diarization.campplus import CamPlusPlus

    pipeline = SpeakerDiarization(
        segmentation=Model.from_pretrained(starter.locate(starter.SEGMENTATION)),
        embedding=CamPlusPlus().eval(),
        plda=PLDA.__new__(PLDA),  # asked for, though only VBx clustering uses one
        clustering="AgglomerativeClustering",
        embedding_exclude_overlap=True,
    )
    pipeline.instantiate(OPEN_SETTINGS)
    return pipeline


def _asked(counts: SpeakerCounts) -> dict[str, int]:
    if counts.exact is not None:
        return {"num_speakers": counts.exact}
    asked = {"min_speakers": counts.low, "max_speakers": counts.high}
    return {name: count for name, count in asked.items() if count is not None}


def _device(asked: str) -> str:
    import torch

    has_gpu = torch.cuda.is_available()
    if asked == "cuda" and not has_gpu:
        raise DiarizationUnavailable(
            "DIARIZATION_DEVICE is cuda, but no NVIDIA GPU is visible: set it to auto."
        )
    return "cuda" if has_gpu and asked != "cpu" else "cpu"


def _trunk_dtype(device: Any) -> Any:
    """Return bfloat16 if the hardware supports it. Never float16, which merges speakers."""
    import torch

    from gpu_worker.hardware import cpu_has_bfloat16

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    return torch.bfloat16 if cpu_has_bfloat16() else torch.float32


def _spans(count: Any) -> list[Span]:
    """Return the spans with at least one speaker."""
    import numpy as np

    speaking = np.concatenate([[0], (count.data[:, 0] > 0).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(speaking)).reshape(-1, 2)
    frames = count.sliding_window
    return [Span(float(frames[int(a)].start), float(frames[int(b) - 1].end)) for a, b in edges]


def _both(found: Any) -> tuple[list[Turn], list[Turn]]:
    """Return regular and exclusive turns. Third-party and older pipelines return only the regular ones."""
    regular = getattr(found, "speaker_diarization", found)
    return _turns(regular), _turns(getattr(found, "exclusive_speaker_diarization", regular))


def _turns(annotation: Any) -> list[Turn]:
    return [
        Turn(start=round(turn.start, 3), end=round(turn.end, 3), speaker=label)
        for turn, _, label in annotation.itertracks(yield_label=True)
    ]


def _reassign_isolated_turns(
    pipeline: Any, waveform: Any, found: Any, regular: list[Turn], exclusive: list[Turn]
) -> tuple[list[Turn], list[Turn]]:
    """The turns, isolated ones with the speaker who is nearest to an embedding of the turn alone."""
    labels = found.speaker_diarization.labels()
    spans = speaker_reassignment.isolated_turns(regular)
    if len(labels) < 2 or not spans:
        return regular, exclusive
    assigned = [labels.index(speaker) for speaker in _speakers_of(spans, regular)]
    embeddings = pipeline.embed_spans(waveform, spans)
    rows = speaker_reassignment.reassigned(embeddings, assigned, found.speaker_embeddings[: len(labels)])
    changed = {
        span: labels[row] for span, row, before in zip(spans, rows, assigned, strict=True) if row != before
    }
    return _corrected(regular, changed), _corrected(exclusive, changed)


def _speakers_of(spans: list[Span], turns: list[Turn]) -> list[str]:
    by_span = {Span(turn["start"], turn["end"]): turn["speaker"] for turn in turns}
    return [by_span[span] for span in spans]


def _corrected(turns: list[Turn], changed: dict[Span, str]) -> list[Turn]:
    def speaker(turn: Turn) -> str:
        middle = (turn["start"] + turn["end"]) / 2
        return next(
            (who for span, who in changed.items() if span.start <= middle <= span.end), turn["speaker"]
        )

    return [Turn(start=turn["start"], end=turn["end"], speaker=speaker(turn)) for turn in turns]


def _in_order_of_appearance(turns: list[Turn]) -> dict[str, str]:
    labels = dict.fromkeys(turn["speaker"] for turn in sorted(turns, key=lambda turn: turn["start"]))
    return {label: f"SPEAKER_{number:02d}" for number, label in enumerate(labels)}


def _named(turns: list[Turn], names: dict[str, str]) -> list[Turn]:
    return [Turn(start=t["start"], end=t["end"], speaker=names[t["speaker"]]) for t in turns]


@contextmanager
def _flags_restored() -> Iterator[None]:
    """Restore TF32, which pyannote turns off for the whole process, including whisper."""
    import torch

    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress its warnings (torchcodec, speaker bounds, empty means), which are irrelevant for our log."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
