"""The interface of speech engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Notice, Segment
from gpu_worker.sound import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Recording:
    """One file to transcribe, with its progress callbacks.

    `samples` is mono float32 at SAMPLE_RATE, usually a memory map: read slices of it. `vad_progress` and
    `progress` take the audio position in seconds, of the voice gate and of what is transcribed, and
    raise Canceled when the job is no longer wanted. `speech` is where anybody speaks, where that is known
    already; None leaves it to the engine's own voice gate.
    """

    samples: NDArray[np.float32]
    options: Options
    vad_progress: Callable[[float], None]
    progress: Callable[[float], None]
    speech: list[Span] | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True)
class Recognition:
    """The recognized text. Times are seconds of the file."""

    language: str
    segments: list[Segment]
    warnings: list[Notice] = field(default_factory=list)


@dataclass(frozen=True)
class EngineInfo:
    """Hardware and software of an engine."""

    gpu: bool = False
    gpu_name: str = ""
    cuda: str = ""
    versions: dict[str, str] = field(default_factory=dict)


class Recognizer(Protocol):
    """A speech engine. `recognize` is called from several threads when jobs run in parallel."""

    name: str

    def info(self) -> EngineInfo:
        """Return hardware and software."""

    def offline_models(self, preferred: str) -> list[str]:
        """Return the models that load without a network, `preferred` first if it does."""

    def load(self, model: str) -> str:
        """Load a model and return the source of its weights.

        Raises weights.ModelUnavailable or starter.DamagedWeights.
        """

    def recognize(self, model: str, recording: Recording) -> Recognition:
        """Turn speech into timed text; raises Canceled."""
