"""Speeds up Whisper's encoder without changing the words. Imported only by the engine: needs torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gpu_worker.hardware import cpu_has_bfloat16

if TYPE_CHECKING:
    from whisper.model import Whisper

Encode = Callable[[Tensor], Tensor]


def speed_up(model: Whisper) -> None:
    """Encode each window once, in bfloat16 on CPUs that support it.

    whisper.transcribe encodes a window again for its word times and for every retry at a higher
    temperature. The decoder stays in float32: it accumulates a thousand small decisions.
    """
    encode: Encode = model.encoder.forward
    if model.device.type == "cpu" and cpu_has_bfloat16():
        encode = _in_bfloat16(encode)
    model.encoder.forward = CachedEncoder(encode)


class CachedEncoder:
    """An encoder that caches its last window. Not thread-safe."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._mel: Tensor | None = None
        self._features: Tensor | None = None

    def __call__(self, mel: Tensor) -> Tensor:
        """(batch, mel bins, frames) → (batch, positions, width)."""
        if self._features is None or self._mel is None or not _is_same(mel, self._mel):
            self._features = self._encode(mel)
            self._mel = mel.clone()  # the caller may write into it
        return self._features


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)


def _in_bfloat16(encode: Encode) -> Encode:
    def encode_in_bfloat16(mel: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            features = encode(mel)
        return features.float()

    return encode_in_bfloat16
