"""An engine without weights, for tests: it does what the job's initial prompt says.

`slow` takes 12 windows of 0.1 s · `until PATH` works until that file is there
· `hang` never ends a window · `crash` kills its process · `memory` and
`mistake` raise. Otherwise each second of sound becomes one word.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gpu_worker.asr.recognizer import EngineInfo, Recognition, Recording
from gpu_worker.asr.weights import ModelUnavailable
from gpu_worker.shared.transcript import Segment, Word

SPOKEN = "unmistakable"


class Scripted:
    """Stands in for speech recognition where a test is about everything around it."""

    name = "scripted"

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def info(self) -> EngineInfo:
        """No graphics card."""
        return EngineInfo(versions={"scripted": "1"})

    def offline_models(self, preferred: str) -> list[str]:
        """The one it was started with."""
        return [preferred]

    def load(self, model: str) -> str:
        """Every model but one."""
        if model == "medium":
            raise ModelUnavailable("The model medium is not on this machine: put it into the cache folder.")
        return "path"

    def recognize(self, model: str, recording: Recording) -> Recognition:
        """Follow the script."""
        until = recording.options.initial_prompt.partition("until ")[2]
        while until and not Path(until).exists():
            recording.progress(0.0)
            time.sleep(0.05)
        match recording.options.initial_prompt:
            case "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                time.sleep(3600)
            case "memory":
                raise MemoryError
            case "mistake":
                raise ZeroDivisionError
            case "slow":
                for window in range(12):
                    recording.progress(recording.duration * window / 12)
                    time.sleep(0.1)
        recording.progress(recording.duration)
        return Recognition("en", [_segment(second) for second in range(int(recording.duration))])


def _segment(second: int) -> Segment:
    word = Word(word=f" {SPOKEN}", start=float(second), end=second + 0.5, probability=0.9)
    return Segment(id=second, start=float(second), end=second + 0.5, text=f" {SPOKEN}", words=[word])
