"""Speeds up pyannote's SpeakerDiarization without changing the turns. Imported only by the engine.

Stock runs the embedding's trunk once for every speaker slot of a chunk, although who speaks matters only
at its pooling. Here the trunk runs once a chunk, all slots are pooled from that, and silent chunks are
skipped: the same numbers, 2.3-3.3 times faster (docs/decisions/0014). Clustering is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from pyannote.audio.pipelines import SpeakerDiarization
from pyannote.core import SlidingWindowFeature
from torch import Tensor

from gpu_worker.diarization.campplus import CamPlusPlus
from gpu_worker.sound import SAMPLE_RATE, Span

LONGEST_EMBEDDED = 4.0  # seconds of a turn that its embedding is made of
LENGTH_STEP = 0.25  # seconds: turns of one length go through one batch
MAX_TRAINING = 3000  # embeddings that are clustered; linkage takes their square in memory and time

Floats = NDArray[np.float32]


class SharedTrunkDiarization(SpeakerDiarization):  # type: ignore[misc]
    """SpeakerDiarization whose embedding is one of WeSpeaker's shape, computed once a chunk.

    `trunk_dtype` is what the trunk computes in; pooling is always float32.
    """

    trunk_dtype = torch.float32
    embedding_batch_size: int

    def get_embeddings(
        self,
        file: dict[str, Any],
        binary_segmentations: SlidingWindowFeature,
        exclude_overlap: bool = False,
        hook: Callable[..., None] | None = None,
    ) -> Floats:
        """Return (chunks, speakers, dimension); rows of silent chunks are ones, and mean nothing."""
        active = np.nan_to_num(binary_segmentations.data).astype(np.float32)  # chunks, frames, speakers
        used = self._masks(active, binary_segmentations, exclude_overlap)
        spoken = np.flatnonzero(active.any(axis=(1, 2)))
        found = np.ones((active.shape[0], active.shape[2], self._embedding.dimension), dtype=np.float32)
        batch = self.embedding_batch_size
        done = 0
        while done < len(spoken):
            chunks = spoken[done : done + batch]
            try:
                found[chunks] = self._embed(file, binary_segmentations, used, chunks, batch)
            except (torch.OutOfMemoryError, MemoryError):
                if batch == 1:
                    raise
                batch = self.embedding_batch_size = batch // 2
                continue
            done += len(chunks)
            if hook is not None:
                hook("embeddings", None, total=len(spoken), completed=done)
        return found

    def _masks(self, active: Floats, segmentations: SlidingWindowFeature, exclude_overlap: bool) -> Floats:
        """Return the masks of each speaker: without overlaps, if that is long enough for an embedding."""
        if not exclude_overlap:
            return active
        samples = segmentations.sliding_window.duration * self._embedding.sample_rate
        shortest = math.ceil(active.shape[1] * self._embedding.min_num_samples / samples)
        alone = active * (active.sum(axis=2, keepdims=True) < 2)
        return np.where((alone.sum(axis=1) > shortest)[:, None, :], alone, active)

    def _embed(
        self,
        file: dict[str, Any],
        segmentations: SlidingWindowFeature,
        masks: Floats,
        chunks: NDArray[np.intp],
        batch: int,
    ) -> Floats:
        waveforms = torch.stack([self._crop(file["waveform"], segmentations, int(c)) for c in chunks])
        weights = torch.from_numpy(masks[chunks].transpose(0, 2, 1).copy())
        if (
            self._embedding.device.type == "cuda"
        ):  # kernels are chosen by shape: another one for the rest gives other numbers
            missing = batch - len(chunks)
            waveforms = torch.nn.functional.pad(waveforms, (0, 0, 0, 0, 0, missing))
            weights = torch.nn.functional.pad(weights, (0, 0, 0, 0, 0, missing))
        return self._run(waveforms, weights)[: len(chunks)]

    def embed_spans(self, waveform: Tensor, spans: Sequence[Span]) -> Floats:
        """Return (spans, dimension): the embedding of each span of (1, samples) alone, up to LONGEST_EMBEDDED."""
        found = np.ones((len(spans), self._embedding.dimension), dtype=np.float32)
        by_length: dict[int, list[int]] = {}  # a batch has one length: padding would change embeddings
        for number, span in enumerate(spans):
            steps = int(min(span.end - span.start, LONGEST_EMBEDDED) / LENGTH_STEP)
            by_length.setdefault(round(steps * LENGTH_STEP * SAMPLE_RATE), []).append(number)
        for length, numbers in by_length.items():
            for first in range(0, len(numbers), self.embedding_batch_size):
                batch = numbers[first : first + self.embedding_batch_size]
                starts = [round(spans[number].start * SAMPLE_RATE) for number in batch]
                found[batch] = self._run(torch.stack([waveform[:, at : at + length] for at in starts]))
        return found

    def _run(self, waveforms: Tensor, weights: Tensor | None = None) -> Floats:
        """(batch, 1, samples), weights (batch, speakers, frames) → embeddings."""
        model, device = self._embedding.model_, self._embedding.device
        with torch.inference_mode():
            fbank = model.compute_fbank(waveforms.to(device))
            with torch.autocast(device.type, self.trunk_dtype, enabled=self.trunk_dtype != torch.float32):
                frames = model.resnet.forward_frames(fbank)
            weights = weights if weights is None else weights.to(device)
            embeddings: Floats = model.forward_embedding(frames.float(), weights=weights).cpu().numpy()
        return embeddings

    @staticmethod
    def _crop(waveform: Tensor, segmentations: SlidingWindowFeature, chunk: int) -> Tensor:
        """Return the samples of a chunk like stock pyannote, padded with silence after the end of the file."""
        window = segmentations.sliding_window
        first = round(window[chunk].start * SAMPLE_RATE)
        length = round(window.duration * SAMPLE_RATE)
        piece = waveform[:, first : first + length]
        return torch.nn.functional.pad(piece, (0, length - piece.shape[1]))


def accelerate(pipeline: Any) -> None:
    """Install one-pass embeddings and limited clustering in a loaded pipeline, if its model supports them."""
    model = getattr(getattr(pipeline, "_embedding", None), "model_", None)
    if type(pipeline) is SpeakerDiarization and isinstance(model, BaseWeSpeakerResNet):
        pipeline.__class__ = SharedTrunkDiarization  # same fields: only methods differ
        if isinstance(model, CamPlusPlus):
            model.resnet.fuse()
    if hasattr(pipeline, "clustering"):
        pipeline.clustering.filter_embeddings = _bounded(pipeline.clustering.filter_embeddings)


def _bounded(choose: Callable[..., Any]) -> Callable[..., Any]:
    """Cluster an even sample if there are very many embeddings; each is then assigned to the nearest
    centroid, as in stock pyannote."""

    def choose_some(*arguments: Any, **named: Any) -> Any:
        embeddings, chunks, speakers = choose(*arguments, **named)
        if len(embeddings) <= MAX_TRAINING:
            return embeddings, chunks, speakers
        some = np.linspace(0, len(embeddings) - 1, MAX_TRAINING).round().astype(int)
        return embeddings[some], chunks[some], speakers[some]

    return choose_some
