"""One writer per format. A writer takes a Timeline and returns the text of the file."""

from collections.abc import Callable
from dataclasses import dataclass

from review.exports import data, subtitles, text
from review.timeline import Timeline


@dataclass(frozen=True)
class Format:
    """A file format that people can download."""

    label: str
    content_type: str
    write: Callable[[Timeline], str]


FORMATS: dict[str, Format] = {
    "txt": Format("Text", "text/plain; charset=utf-8", text.to_txt),
    "md": Format("Markdown", "text/markdown; charset=utf-8", text.to_markdown),
    "srt": Format("Subtitles (SRT)", "application/x-subrip; charset=utf-8", subtitles.to_srt),
    "vtt": Format("Subtitles (WebVTT)", "text/vtt; charset=utf-8", subtitles.to_vtt),
    "json": Format("JSON", "application/json", data.to_json),
}
