"""JSON in whisper's and whisperX's shape, from the current state."""

import json
from typing import Any

from gpu_worker.shared.transcript import SCHEMA_VERSION
from review.timeline import Passage, Timeline


def to_json(timeline: Timeline) -> str:
    """The transcript document that docs/transcript-format.md describes."""
    speakers = dict.fromkeys(passage.speaker for passage in timeline.passages if passage.speaker)
    document = {
        "schemaVersion": SCHEMA_VERSION,
        "text": " ".join(passage.text for passage in timeline.passages),
        "language": timeline.language,
        "duration": timeline.duration,
        "segments": [_segment(number, passage) for number, passage in enumerate(timeline.passages)],
        "speakers": list(speakers),
        "turns": [
            {"start": passage.start, "end": passage.end, "speaker": passage.speaker}
            for passage in timeline.passages
            if passage.speaker
        ],
        "engine": timeline.engine,
        "model": timeline.model,
        "flags": [],
        "warnings": [],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _segment(number: int, passage: Passage) -> dict[str, Any]:
    speaker = {"speaker": passage.speaker} if passage.speaker else {}
    words = [
        {
            "word": word.gap + word.text,
            "start": word.start,
            "end": word.end,
            "probability": word.probability,
            **speaker,
        }
        for word in passage.words
    ]
    return {
        "id": number,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "words": words,
        **speaker,
    }
