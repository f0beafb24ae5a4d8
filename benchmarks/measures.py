"""How wrong a transcript is: words, words by speaker, speakers by time. Used by the benchmarks and tests.

cpWER is the concatenated minimum-permutation word error rate (Watanabe et al. 2020, CHiME-6): all words
of a speaker make one text, and hypothesis speakers are matched with reference speakers so that the sum of
edits is least. An unmatched speaker costs all of their words.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
from whisper.normalizers import EnglishTextNormalizer

from gpu_worker.shared.transcript import Segment, Turn

normalize = EnglishTextNormalizer()


@dataclass(frozen=True)
class SpeakerErrors:
    """Shares of the reference's speech time, overlap scored, no collar; and how many speakers there are."""

    missed: float
    false_alarm: float
    confusion: float
    found: int
    expected: int

    @property
    def rate(self) -> float:
        """The diarization error rate."""
        return self.missed + self.false_alarm + self.confusion


def cp_wer(reference: Mapping[str, str], hypothesis: Mapping[str, str]) -> float:
    """Return the cpWER of texts by speaker, normalized as Whisper's authors do for English."""
    from scipy.optimize import linear_sum_assignment

    expected = [normalize(text).split() for text in reference.values()]
    heard = [normalize(text).split() for text in hypothesis.values()]
    size = max(len(expected), len(heard))
    expected += [[]] * (size - len(expected))
    heard += [[]] * (size - len(heard))
    costs = np.array([[_edits(words, other) for other in heard] for words in expected])
    rows, columns = linear_sum_assignment(costs)
    return float(costs[rows, columns].sum()) / sum(map(len, expected))


def word_errors(reference: str, hypothesis: str) -> jiwer.WordOutput:
    """Return jiwer's alignment of both texts, normalized."""
    return jiwer.process_words(normalize(reference), normalize(hypothesis))


def by_speaker(segments: Iterable[Segment]) -> dict[str, str]:
    """Return what each speaker says, as one text; words of nobody under ""."""
    texts: dict[str, list[str]] = defaultdict(list)
    for segment in segments:
        for word in segment["words"]:
            texts[word.get("speaker", segment.get("speaker", ""))].append(word["word"])
        if not segment["words"]:
            texts[segment.get("speaker", "")].append(segment["text"])
    return {speaker: " ".join(parts) for speaker, parts in texts.items()}


def speaker_errors(reference: Sequence[Turn], turns: Sequence[Turn], duration: float) -> SpeakerErrors:
    """Compare turns with the reference's, by pyannote.metrics."""
    from pyannote.core import Segment as Stretch
    from pyannote.core import Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = DiarizationErrorRate()(
            _annotation(reference),
            _annotation(turns),
            uem=Timeline([Stretch(0, duration)]),
            detailed=True,
        )
    total = found["total"]
    return SpeakerErrors(
        missed=found["missed detection"] / total,
        false_alarm=found["false alarm"] / total,
        confusion=found["confusion"] / total,
        found=len({turn["speaker"] for turn in turns}),
        expected=len({turn["speaker"] for turn in reference}),
    )


def read_rttm(path: Path, recording: str = "") -> list[Turn]:
    """Read the SPEAKER lines of an RTTM file, those of one recording where it is named."""
    turns = []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[:1] != ["SPEAKER"] or (recording and fields[1] != recording):
            continue
        start, length = float(fields[3]), float(fields[4])
        turns.append(Turn(start=start, end=start + length, speaker=fields[7]))
    return turns


def _edits(expected: list[str], heard: list[str]) -> int:
    if not expected or not heard:
        return len(expected) + len(heard)
    found = jiwer.process_words(" ".join(expected), " ".join(heard))
    return found.substitutions + found.deletions + found.insertions


def _annotation(turns: Sequence[Turn]) -> Any:
    from pyannote.core import Annotation
    from pyannote.core import Segment as Stretch

    annotation = Annotation()
    for number, turn in enumerate(turns):
        annotation[Stretch(turn["start"], turn["end"]), number] = turn["speaker"]
    return annotation
