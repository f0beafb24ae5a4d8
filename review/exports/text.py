"""Plain text and Markdown, for reading."""

from gpu_worker.shared.transcript import clock
from review.timeline import Timeline


def to_txt(timeline: Timeline) -> str:
    """One line a segment; a speaker's name stands above what they say."""
    lines: list[str] = []
    for passage, is_turn in zip(timeline.passages, timeline.turns(), strict=True):
        if passage.speaker and is_turn:
            lines += ["", f"{passage.speaker}:"] if lines else [f"{passage.speaker}:"]
        lines.append(passage.text)
    return "\n".join(lines) + "\n"


def to_markdown(timeline: Timeline) -> str:
    """A heading, then one paragraph a segment with its time."""
    lines = [f"# {timeline.title}", ""]
    for passage, is_turn in zip(timeline.passages, timeline.turns(), strict=True):
        speaker = f" **{passage.speaker}**" if passage.speaker and is_turn else ""
        lines += [f"`{clock(passage.start)}`{speaker} {passage.text}", ""]
    return "\n".join(lines)
