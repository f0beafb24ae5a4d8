"""CAM++ (arXiv 2303.00332) as an embedding model for pyannote. Imported only by the engine: needs torch."""

from __future__ import annotations

from typing import Any

import torch
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gpu_worker.diarization import starter

DIMENSION = 192  # of an embedding
FEATURES = 80  # mel bins
STRIDE = 2  # input frames a frame of the trunk
HEAD_BATCH = 4  # chunks on a CPU: more of them fall out of its cache
CONTEXT = 200  # input frames that one trunk frame sees, roughly: only reported, never computed with


class CamPlusPlus(BaseWeSpeakerResNet):  # type: ignore[misc]
    """The features of WeSpeaker's models (80 log mel bins, mean removed) before the CAM++ network."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = _Network()


class _Network(nn.Module):
    """CAM++ cut before its pooling, which pyannote does: weighted by who speaks when."""

    embed_dim = DIMENSION

    def __init__(self) -> None:
        super().__init__()
        self.net = starter.network_class()(feat_dim=FEATURES, embedding_size=DIMENSION)
        weights = torch.load(starter.locate(starter.EMBEDDING), map_location="cpu", weights_only=True)
        self.net.load_state_dict(weights)
        self.pool = StatsPool()

    def fuse(self) -> None:
        """Fold every batch norm behind a convolution into it and lay the head out channels last, which
        changes rounding alone. Once, in evaluation mode and float32; the head then takes a quarter of the
        time on a CPU (docs/decisions/0017)."""
        for part in list(self.net.modules()):
            names = dict(part.named_children())
            if "bn1" in names:
                _fold(part, "conv1", part, "bn1")
                _fold(part, "conv2", part, "bn2")
            if len(names.get("shortcut", ())):
                _fold(part.shortcut, "0", part.shortcut, "1")
            if "nonlinear2" in names:
                _fold(part, "linear1", part.nonlinear2, "batchnorm")
        self.net.head.to(memory_format=torch.channels_last)

    def num_frames(self, num_samples: int) -> int:
        """Trunk frames of this many feature frames (pyannote calls them samples)."""
        return (num_samples + 1) // STRIDE

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Feature frames that so many trunk frames see."""
        return CONTEXT + STRIDE * (num_frames - 1)

    def receptive_field_center(self, frame: int = 0) -> int:
        """The feature frame in the middle of what a trunk frame sees."""
        return STRIDE * frame

    def forward_frames(self, fbank: Tensor) -> Tensor:
        """(batch, frames, 80) → (batch, channels, trunk frames)."""
        features = self._head(fbank.permute(0, 2, 1))
        for name, layer in self.net.xvector.named_children():
            if name == "stats":
                break
            features = layer(features)
        trunk: Tensor = features
        return trunk

    def _head(self, features: Tensor) -> Tensor:
        if features.device.type != "cpu":
            whole: Tensor = self.net.head(features)
            return whole
        return torch.cat([self.net.head(part) for part in torch.split(features, HEAD_BATCH)])

    def forward_embedding(self, frames: Tensor, weights: Tensor | None = None) -> tuple[Any, Tensor]:
        """(batch, channels, trunk frames) → (batch, 192), with weights by speaker (batch, speakers, 192)."""
        pooled = self.pool(frames, weights=weights)
        flat = self.net.xvector.dense(pooled.reshape(-1, pooled.shape[-1]))
        return None, flat.reshape(*pooled.shape[:-1], DIMENSION)

    def forward(self, fbank: Tensor, weights: Tensor | None = None) -> tuple[Any, Tensor]:
        """Both halves, as pyannote's stock pipeline calls them."""
        return self.forward_embedding(self.forward_frames(fbank), weights)


def _fold(convolutions: nn.Module, convolution: str, norms: nn.Module, norm: str) -> None:
    fused = fuse_conv_bn_eval(getattr(convolutions, convolution), getattr(norms, norm))
    setattr(convolutions, convolution, fused)
    setattr(norms, norm, nn.Identity())
