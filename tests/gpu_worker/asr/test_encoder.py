"""Whisper's encoder works once a window, whatever asks for it."""

from __future__ import annotations

import torch

from gpu_worker.asr.encoder import CachedEncoder


class Counting:
    """Doubles what it is given, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, mel: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return mel * 2


def test_the_same_window_is_encoded_once() -> None:
    encode = Counting()
    encoder = CachedEncoder(encode)
    mel = torch.rand(1, 80, 30)
    first = encoder(mel)
    assert torch.equal(encoder(mel.clone()), first)
    assert encode.calls == 1


def test_another_window_is_encoded_anew() -> None:
    encode = Counting()
    encoder = CachedEncoder(encode)
    mel = torch.rand(1, 80, 30)
    for given in (mel, mel + 1e-6, torch.cat([mel, mel]), mel.double(), mel):
        assert torch.equal(encoder(given), given * 2)
    assert encode.calls == 5


def test_a_window_written_over_is_another_one() -> None:
    encode = Counting()
    encoder = CachedEncoder(encode)
    mel = torch.rand(1, 80, 30)
    encoder(mel)
    mel += 1
    assert torch.equal(encoder(mel), mel * 2)
    assert encode.calls == 2
