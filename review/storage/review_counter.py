"""How much of a transcript is left to review, kept up to date without reading the segments that stay as they are."""

from collections.abc import Collection
from dataclasses import dataclass

from review.edits.patches import Row, is_doubtful, unchecked_seconds


@dataclass
class ReviewCounter:
    """Segments that somebody should look at, and how long those are that nobody has checked."""

    doubtful: int
    unchecked_seconds: float

    def recount(self, before: Collection[Row], after: Collection[Row]) -> None:
        """Take in that some segments are now as in `after`."""
        self.doubtful += sum(map(is_doubtful, after)) - sum(map(is_doubtful, before))
        self.unchecked_seconds += unchecked_seconds(after) - unchecked_seconds(before)
