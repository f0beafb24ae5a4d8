"""Voice activity detection with Silero's packaged model, on the CPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gpu_worker.sound import SAMPLE_RATE, Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME = 512  # samples the model looks at in one step, 32 ms at 16 kHz
FRAMES_PER_REPORT = 500  # 16 s of audio between two looks at the cancel flag


def speech_spans(samples: NDArray[np.float32], progress: Callable[[float], None]) -> list[Span]:
    """Return the spans of speech in mono float32 audio at SAMPLE_RATE, in order.

    Reads the audio frame by frame, so a memory map of hours needs no memory. `progress` takes the
    position in seconds, every 16 s of audio, and may raise to stop.
    """
    import torch

    probabilities = []
    with _one_thread(), torch.inference_mode():
        model = _load()  # a model of its own each time: it carries state from frame to frame
        for number in range(0, len(samples), FRAME):
            if number % (FRAME * FRAMES_PER_REPORT) == 0:
                progress(number / SAMPLE_RATE)
            probabilities.append(float(model(_frame(samples, number), SAMPLE_RATE)))
    return _spans(probabilities, len(samples))


def _load() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import silero_vad

        return silero_vad.load_silero_vad()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Use one thread: such small steps are slower with several (ten times, on a busy machine). Importing silero_vad
    permanently sets one thread as well; this also restores the threads for whisper."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _frame(samples: NDArray[np.float32], first: int) -> Any:
    import numpy as np
    import torch

    frame = np.zeros(FRAME, dtype=np.float32)
    piece = samples[first : first + FRAME]
    frame[: len(piece)] = piece
    return torch.from_numpy(frame)


def _spans(probabilities: list[float], length: int) -> list[Span]:
    from silero_vad import get_speech_timestamps_from_probs

    found = get_speech_timestamps_from_probs(
        probabilities, sampling_rate=SAMPLE_RATE, audio_length_samples=length
    )
    return [Span(row["start"] / SAMPLE_RATE, row["end"] / SAMPLE_RATE) for row in found]
