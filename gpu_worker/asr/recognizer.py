"""What every speech engine offers, whatever decodes behind it."""

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
    """One file to recognise and the way to report on it.

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
    """What was said. Times in seconds of the file."""

    language: str
    segments: list[Segment]
    warnings: list[Notice] = field(default_factory=list)


@dataclass(frozen=True)
class EngineInfo:
    """What an engine runs on."""

    gpu: bool = False
    gpu_name: str = ""
    cuda: str = ""
    versions: dict[str, str] = field(default_factory=dict)


class Recognizer(Protocol):
    """An engine. `recognize` is called from several threads at once when jobs run side by side."""

    name: str

    def info(self) -> EngineInfo:
        """What it runs on."""

    def offline_models(self, preferred: str) -> list[str]:
        """Names that load without a network; `preferred` first if it does."""

    def load(self, model: str) -> str:
        """Make a model ready and return where its weights came from.

        Raises weights.ModelUnavailable or starter.DamagedWeights.
        """

    def recognize(self, model: str, recording: Recording) -> Recognition:
        """Turn speech into timed text; raises Canceled."""
