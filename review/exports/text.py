"""Plain text and Markdown, for reading."""

from gpu_worker.shared.transcript import clock
from review.timeline import Timeline


def to_txt(timeline: Timeline) -> str:
    """One line per segment, with the speaker's name above their segments."""
    lines: list[str] = []
    for segment, is_turn in zip(timeline.segments, timeline.turns(), strict=True):
        if segment.speaker and is_turn:
            lines += ["", f"{segment.speaker}:"] if lines else [f"{segment.speaker}:"]
        lines.append(segment.text)
    return "\n".join(lines) + "\n"


def to_markdown(timeline: Timeline) -> str:
    """A heading, then one paragraph per segment with its time."""
    lines = [f"# {timeline.title}", ""]
    for segment, is_turn in zip(timeline.segments, timeline.turns(), strict=True):
        speaker = f" **{segment.speaker}**" if segment.speaker and is_turn else ""
        lines += [f"`{clock(segment.start)}`{speaker} {segment.text}", ""]
    return "\n".join(lines)
