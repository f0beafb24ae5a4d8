"""Imports a machine transcript into editable rows."""

from typing import Any

from gpu_worker.shared import transcript as document
from gpu_worker.shared.protocol import read_json
from jobs.models import Result
from review.edits.edit_validation import COLOURS
from review.edits.fractional_index import spread
from review.edits.patches import is_doubtful
from review.edits.word_timing import rounded
from review.models import Segment, Speaker, Transcript
from review.serializers import timed_words


def create_transcript(result: Result) -> Transcript:
    """Create the rows of a committed result. Raises transcript.UnreadableTranscript, OSError."""
    file = result.files.get(output_type="json")
    parsed = document.parse(read_json(file.absolute_path.read_bytes()))
    segments = parsed["segments"]
    flags = [_flags(segment) for segment in segments]
    made = Transcript.objects.create(
        job_input=result.job_input,
        language=parsed["language"][:20],
        model=parsed["model"][:200],
        engine=parsed["engine"][:100],
        duration=rounded(parsed["duration"]),
        warnings=parsed["warnings"],
        doubtful=sum(is_doubtful({"flags": one, "checked": False}) for one in flags),
        unchecked_seconds=rounded(
            sum(rounded(segment["end"]) - rounded(segment["start"]) for segment in segments)
        ),
    )
    speakers = Speaker.objects.bulk_create(
        Speaker(
            transcript=made,
            label=label,
            colour=number % COLOURS + 1,
            hotkey=number + 1 if number < COLOURS else None,
        )
        for number, label in enumerate(dict.fromkeys(label[:64] for label in parsed["speakers"]))
    )
    by_label = {speaker.label: speaker for speaker in speakers}
    Segment.objects.bulk_create(
        (
            _segment(made, *parts, by_label)
            for parts in zip(segments, spread(len(segments)), flags, strict=True)
        ),
        batch_size=500,
    )
    return made


def _segment(
    made: Transcript,
    segment: document.Segment,
    rank: str,
    flags: list[dict[str, Any]],
    by_label: dict[str, Speaker],
) -> Segment:
    text = segment["text"].strip()
    return Segment(
        transcript=made,
        rank=rank,
        start=rounded(segment["start"]),
        end=rounded(segment["end"]),
        text=text,
        machine_text=text,
        words=timed_words(segment["words"]),
        speaker=by_label.get(segment.get("speaker", "")[:64]),
        flags=flags,
    )


def _flags(segment: document.Segment) -> list[dict[str, Any]]:
    scores = segment.get("flag_scores", {})
    return [
        {"kind": kind, "score": scores.get(kind, 1.0)} for kind in dict.fromkeys(segment.get("flags", []))
    ]
