"""A transcript in memory: what `edits.apply` reads, without a database."""

import copy
from typing import Any

from review.edits.patches import Patch, Row, lay
from review.edits.word_timing import TimedWord
from review.serializers import segment_from_json


class MemoryState:
    """A whole transcript as on the wire: {duration, reviewStatus, reviewer, speakers, segments}."""

    def __init__(self, state: Row) -> None:
        state = copy.deepcopy(state)
        self.segment_rows = {row["key"]: segment_from_json(row) for row in state.pop("segments")}
        self.speaker_rows = {row["key"]: row for row in state.pop("speakers")}
        self.transcript: Row = state

    def absorb(self, patch: Patch) -> None:
        lay(self.segment_rows, patch["segments"])
        lay(self.speaker_rows, patch["speakers"])
        if patch["transcript"]:
            self.transcript.update(patch["transcript"]["after"])

    def wire(self) -> dict[str, Any]:
        return {
            **self.transcript,
            "speakers": sorted(self.speaker_rows.values(), key=lambda row: str(row["key"])),
            "segments": self.all_segments(),
        }

    def segment(self, key: str) -> Row | None:
        return self.segment_rows.get(key)

    def speaker(self, key: str) -> Row | None:
        return self.speaker_rows.get(key)

    def speakers(self) -> list[Row]:
        return list(self.speaker_rows.values())

    def previous(self, rank: str) -> Row | None:
        return next((row for row in reversed(self.all_segments()) if row["rank"] < rank), None)

    def next(self, rank: str) -> Row | None:
        return next((row for row in self.all_segments() if row["rank"] > rank), None)

    def run_from(self, segment: Row) -> list[Row]:
        run: list[Row] = []
        for one in self.all_segments():
            if one["rank"] >= segment["rank"]:
                if one["speaker"] != segment["speaker"]:
                    break
                run.append(one)
        return run

    def spoken_by(self, speaker: str | None) -> list[Row]:
        return [row for row in self.all_segments() if row["speaker"] == speaker]

    def all_segments(self) -> list[Row]:
        return sorted(self.segment_rows.values(), key=lambda row: str(row["rank"]))

    def machine_words(self, segment: Row) -> list[TimedWord]:
        return []
