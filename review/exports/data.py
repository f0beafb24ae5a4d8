"""JSON in the format of whisper and whisperX, from the current state."""

import json
from typing import Any

from gpu_worker.shared.transcript import SCHEMA_VERSION
from review.timeline import Timeline, TimelineSegment


def to_json(timeline: Timeline) -> str:
    """Return the document described in docs/transcript-format.md."""
    speakers = dict.fromkeys(segment.speaker for segment in timeline.segments if segment.speaker)
    document = {
        "schemaVersion": SCHEMA_VERSION,
        "text": " ".join(segment.text for segment in timeline.segments),
        "language": timeline.language,
        "duration": timeline.duration,
        "segments": [_segment(number, segment) for number, segment in enumerate(timeline.segments)],
        "speakers": list(speakers),
        "turns": [
            {"start": segment.start, "end": segment.end, "speaker": segment.speaker}
            for segment in timeline.segments
            if segment.speaker
        ],
        "engine": timeline.engine,
        "model": timeline.model,
        "flags": [],
        "warnings": [],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _segment(number: int, segment: TimelineSegment) -> dict[str, Any]:
    speaker = {"speaker": segment.speaker} if segment.speaker else {}
    words = [
        {
            "word": word.gap + word.text,
            "start": word.start,
            "end": word.end,
            "probability": word.probability,
            **speaker,
        }
        for word in segment.words
    ]
    return {
        "id": number,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "words": words,
        **speaker,
    }
