"""A machine result becomes rows that people can work on."""

from gpu_worker import transcript as document
from gpu_worker.protocol import read_json
from jobs.models import Result
from review.models import COLOURS, Segment, Speaker, Transcript


def create_transcript(result: Result) -> Transcript:
    """Make the rows of a committed result. Raises transcript.UnreadableTranscript, OSError."""
    file = result.files.get(output_type="json")
    parsed = document.parse(read_json(file.absolute_path.read_bytes()))
    made = Transcript.objects.create(
        job_input=result.job_input,
        language=parsed["language"][:20],
        model=parsed["model"][:200],
        engine=parsed["engine"][:100],
        duration=parsed["duration"],
        warnings=parsed["warnings"],
    )
    speakers = Speaker.objects.bulk_create(
        Speaker(transcript=made, label=label, colour=number % COLOURS + 1)
        for number, label in enumerate(dict.fromkeys(label[:64] for label in parsed["speakers"]))
    )
    by_label = {speaker.label: speaker for speaker in speakers}
    Segment.objects.bulk_create((_segment(made, row, by_label) for row in parsed["segments"]), batch_size=500)
    return made


def _segment(made: Transcript, row: document.Segment, by_label: dict[str, Speaker]) -> Segment:
    text = row["text"].strip()
    return Segment(
        transcript=made,
        position=row["id"],
        start=row["start"],
        end=row["end"],
        text=text,
        machine_text=text,
        words=[dict(word) for word in row["words"]],
        speaker=by_label.get(row.get("speaker", "")[:64]),
        flags=row.get("flags", []),
    )
