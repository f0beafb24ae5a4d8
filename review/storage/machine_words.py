"""The machine's words, read from the worker's file."""

from bisect import bisect_left
from functools import cached_property
from uuid import UUID

from gpu_worker.shared import transcript as document
from gpu_worker.shared.protocol import InvalidMessage, read_json
from jobs.models import ResultFile
from review.edits.word_timing import TimedWord
from review.serializers import timed_words


class MachineWords:
    """The words of one input's result, in time; the file is read when somebody asks."""

    def __init__(self, job_input: UUID) -> None:
        self._job_input = job_input

    def between(self, start: float, end: float) -> list[TimedWord]:
        """Return the words whose middle lies from `start` to `end`; none where the file is not at hand."""
        words, middles = self._words
        return words[bisect_left(middles, start) : bisect_left(middles, end)]

    @cached_property
    def _words(self) -> tuple[list[TimedWord], list[float]]:
        file = ResultFile.objects.filter(result__job_input=self._job_input, output_type="json").first()
        try:
            parsed = document.parse(read_json(file.absolute_path.read_bytes())) if file else None
        except (OSError, InvalidMessage, document.UnreadableTranscript):
            parsed = None  # the words at hand have to do
        segments = parsed["segments"] if parsed else []
        words = sorted((word for one in segments for word in timed_words(one["words"])), key=_middle)
        return words, [_middle(word) for word in words]


def _middle(word: TimedWord) -> float:
    return (word.start + word.end) / 2
