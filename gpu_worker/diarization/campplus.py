"""CAM++ (arXiv 2303.00332) as an embedding model of pyannote's. Imported by the engine alone: needs torch."""

from __future__ import annotations

from typing import Any

import torch
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from torch import Tensor, nn

from gpu_worker.diarization import starter

DIMENSION = 192  # of an embedding
FEATURES = 80  # mel bins
STRIDE = 2  # input frames a frame of the trunk
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
        features = self.net.head(fbank.permute(0, 2, 1))
        for name, layer in self.net.xvector.named_children():
            if name == "stats":
                break
            features = layer(features)
        trunk: Tensor = features
        return trunk

    def forward_embedding(self, frames: Tensor, weights: Tensor | None = None) -> tuple[Any, Tensor]:
        """(batch, channels, trunk frames) → (batch, 192), with weights by speaker (batch, speakers, 192)."""
        pooled = self.pool(frames, weights=weights)
        flat = self.net.xvector.dense(pooled.reshape(-1, pooled.shape[-1]))
        return None, flat.reshape(*pooled.shape[:-1], DIMENSION)

    def forward(self, fbank: Tensor, weights: Tensor | None = None) -> tuple[Any, Tensor]:
        """Both halves, as pyannote's stock pipeline calls them."""
        return self.forward_embedding(self.forward_frames(fbank), weights)
