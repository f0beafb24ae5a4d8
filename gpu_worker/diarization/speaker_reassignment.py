"""Reassigns isolated turns to the speaker whose centroid is nearest to the embedding of the turn.

Segmentation looks at 10 s at a time, and now and then takes two people who sound alike for one; the
embedding of that mixture is then nearest to the wrong one of them. An isolated turn (one person between two
pauses) is short, but it is pure: its own embedding names its speaker. Measured in docs/decisions/0014.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gpu_worker.shared.transcript import Turn
from gpu_worker.sound import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST = 0.75  # seconds: an embedding of less says little
MARGIN = 0.15  # of cosine distance, by which another speaker must be nearer


def isolated_turns(turns: Sequence[Turn]) -> list[Span]:
    """Return the turns that an embedding can be made of: long enough, nobody else speaking meanwhile."""
    ordered = sorted(turns, key=lambda turn: turn["start"])
    found: list[Span] = []
    reached = 0.0
    for i, turn in enumerate(ordered):
        following = ordered[i + 1]["start"] if i + 1 < len(ordered) else float("inf")
        is_alone = reached <= turn["start"] and following >= turn["end"]
        if is_alone and turn["end"] - turn["start"] >= SHORTEST:
            found.append(Span(turn["start"], turn["end"]))
        reached = max(reached, turn["end"])
    return found


def reassigned(
    embeddings: NDArray[np.float32], assigned: Sequence[int], centroids: NDArray[np.float32]
) -> list[int]:
    """Return the speaker of each turn: the one assigned, unless another is nearer by MARGIN.

    `embeddings` is (turns, dimension), `centroids` (speakers, dimension), `assigned` rows of `centroids`.
    """
    import numpy as np

    distances = 1.0 - _unit(embeddings) @ _unit(centroids).T
    nearest = distances.argmin(axis=1)
    rows = np.arange(len(assigned))
    is_nearer = distances[rows, nearest] + MARGIN < distances[rows, list(assigned)]
    return [int(n) if changed else a for n, a, changed in zip(nearest, assigned, is_nearer, strict=True)]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit
