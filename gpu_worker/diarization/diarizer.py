"""The interface of diarization pipelines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gpu_worker.shared.transcript import Turn
from gpu_worker.sound import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DiarizationUnavailable(RuntimeError):
    """The pipeline is unavailable; the message says why and what to do."""


@dataclass(frozen=True)
class SpeakerCounts:
    """The requested number of speakers. `exact` takes precedence over the bounds."""

    exact: int | None = None
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class DiarizationCallbacks:
    """Progress callbacks of one diarization. Each may raise Canceled.

    `progress` takes the share done, 0-1. `speech_detected` is called once, when it is known where anybody
    speaks; `device_free` once, when little but work of the CPU is left (clustering).
    """

    progress: Callable[[float], None]
    speech_detected: Callable[[list[Span]], None]
    device_free: Callable[[], None]


@dataclass(frozen=True)
class Diarization:
    """Who speaks when. `turns` may overlap; of `exclusive_turns` no two do. Labels are SPEAKER_00, ….

    `pipeline` and `settings` say what ran, for the transcript.
    """

    turns: list[Turn]
    exclusive_turns: list[Turn]
    pipeline: str
    settings: dict[str, Any] = field(default_factory=dict)


class Diarizer(Protocol):
    """A pipeline. `diarize` may be called from several threads at once when jobs run side by side."""

    def load(self) -> str:
        """Load it and return its name. Raises DiarizationUnavailable."""

    def diarize(
        self, samples: NDArray[np.float32], counts: SpeakerCounts, callbacks: DiarizationCallbacks
    ) -> Diarization:
        """Identify speakers in mono float32 audio at SAMPLE_RATE.

        Raises DiarizationUnavailable, and whatever a callback raises.
        """
