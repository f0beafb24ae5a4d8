"""Word times across text edits. Pure; the page's timing.js computes the same numbers."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from review.edits.tokens import Token, are_alike, matches, squeezed, tokens


class TimedWord(NamedTuple):
    """A word of a segment. In JSON, on the wire and in the database, it is an array of these fields.

    Seconds and the probability have three decimals.
    """

    text: str
    start: float
    end: float
    probability: float  # 0-1
    estimated: int  # 1 where nobody measured the times, else 0
    gap: str  # what separates it from the word before: " ", or "" as in scripts that have no spaces


def words_from_json(arrays: Iterable[Iterable[Any]]) -> list[TimedWord]:
    """Read words as JSON has them."""
    return [*map(TimedWord._make, arrays)]


def rounded(number: float) -> float:
    """Round to three decimals, halves up, like JavaScript's Math.floor(x * 1000 + 0.5) / 1000."""
    return math.floor(number * 1000 + 0.5) / 1000


def text_of(words: Sequence[TimedWord]) -> str:
    """Return the text of these words."""
    return "".join(word.gap + word.text for word in words)


def align(words: Sequence[TimedWord], text: str, start: float, end: float) -> list[TimedWord]:
    """Return the words of the new `text` of a segment from `start` to `end` that had these `words`.

    Unchanged tokens keep time and probability, as do tokens that changed only in case and punctuation within a
    replaced run of equal length. A run of new tokens shares the time between its neighbors in proportion to
    characters, marked as estimated.
    """
    old = _timed_tokens(words)
    new = tokens(text)
    kept = _kept([word.text for word in old], [token.text for token in new])
    made: list[TimedWord] = []
    run: list[Token] = []
    left = start
    for number, token in enumerate(new):
        if number not in kept:
            run.append(token)
            continue
        source = old[kept[number]]
        made += _shared(run, left, source.start)
        times = rounded(source.start), rounded(source.end)
        made.append(TimedWord(token.text, *times, source.probability, source.estimated, token.gap))
        run, left = [], source.end
    return made + _shared(run, left, end)


def fit(words: Sequence[TimedWord], old: tuple[float, float], new: tuple[float, float]) -> list[TimedWord]:
    """Return the words of a segment that is moved from `old` to `new` (start, end).

    If both overlap, words are clipped to the new times; otherwise, all are moved and stretched. Words whose times
    changed are marked as estimated.
    """
    if new[0] < old[1] and old[0] < new[1]:
        return [_timed(word, _clamped(word.start, new), _clamped(word.end, new)) for word in words]
    if old[1] <= old[0]:
        return [word._replace(estimated=1) for word in align([], text_of(words), *new)]
    scale = (new[1] - new[0]) / (old[1] - old[0])
    return [
        _timed(
            word,
            _clamped(new[0] + (word.start - old[0]) * scale, new),
            _clamped(new[0] + (word.end - old[0]) * scale, new),
        )
        for word in words
    ]


def split(
    words: Sequence[TimedWord], text: str, at: int, start: float, end: float
) -> tuple[list[TimedWord], list[TimedWord], float]:
    """Split at the offset `at` of the text: return the words before and after, and the time between them.

    The time is halfway between both words or, without words, in proportion to characters. A split word divides its
    time in proportion, and both parts are marked as estimated.
    """
    before, total = len(squeezed(text[:at])), len(squeezed(text))
    if not words:
        return [], [], rounded(start + (end - start) * before / total)
    if squeezed(text_of(words)) != squeezed(text):
        words = align(words, text, start, end)
    left, right = _divided(words, before)
    right[0] = right[0]._replace(gap="")
    middle = rounded((left[-1].end + right[0].start) / 2)
    return left, right, _clamped(middle, (start, end))


def cut_machine_text(text: str, at: int, machine: str) -> int:
    """Return the offset in the machine transcript that corresponds to `at` in the text, never inside a token."""
    ours, theirs = tokens(text), tokens(machine)
    cut = sum(token.offset < at for token in ours)
    pairs = matches([token.text for token in ours], [token.text for token in theirs])
    low = max(((i + 1, j + 1) for i, j in pairs if i < cut), default=(0, 0))
    high = min(((i, j) for i, j in pairs if i >= cut), default=(len(ours), len(theirs)))
    width = high[0] - low[0]
    place = low[1] + ((high[1] - low[1]) * (cut - low[0]) // width if width else 0)
    return theirs[place].offset if place < len(theirs) else len(machine)


def _kept(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Map each new token that keeps its time to the old token."""
    pairs = matches(old, new)
    kept = {j: i for i, j in pairs}
    for (i, j), (next_i, next_j) in pairwise([(-1, -1), *pairs, (len(old), len(new))]):
        if next_i - i == next_j - j:
            kept.update((j + n, i + n) for n in range(1, next_i - i) if are_alike(old[i + n], new[j + n]))
    return kept


def _timed_tokens(words: Sequence[TimedWord]) -> list[TimedWord]:
    """Split words into tokens. A token inside a word gets a share of its time; one across several words spans them."""
    bounds: list[tuple[int, int, TimedWord]] = []
    offset = 0
    for word in words:
        offset += len(word.gap)
        bounds.append((offset, offset + len(word.text), word))
        offset += len(word.text)
    made: list[TimedWord] = []
    first = 0
    for token in tokens(text_of(words)):
        while bounds[first][1] <= token.offset:
            first += 1
        last = first
        while bounds[last][1] < token.end:
            last += 1
        parts = [word for _from, _to, word in bounds[first : last + 1]]
        begin, finish = _moment(bounds[first], token.offset), _moment(bounds[last], token.end)
        probability, estimated = (
            min(word.probability for word in parts),
            max(word.estimated for word in parts),
        )
        made.append(TimedWord(token.text, begin, finish, probability, estimated, token.gap))
    return made


def _moment(bound: tuple[int, int, TimedWord], offset: int) -> float:
    begin, finish, word = bound
    return word.start + (word.end - word.start) * (offset - begin) / (finish - begin)


def _shared(run: Sequence[Token], left: float, right: float) -> list[TimedWord]:
    total = sum(len(token.text) for token in run)
    span = max(0.0, right - left)
    made: list[TimedWord] = []
    before = 0
    for token in run:
        behind = before + len(token.text)
        begin, finish = rounded(left + span * before / total), rounded(left + span * behind / total)
        made.append(TimedWord(token.text, begin, finish, 1.0, 1, token.gap))
        before = behind
    return made


def _divided(words: Sequence[TimedWord], before: int) -> tuple[list[TimedWord], list[TimedWord]]:
    """Return the words with the first `before` characters, not counting spaces, and the others."""
    left: list[TimedWord] = []
    right: list[TimedWord] = []
    count = 0
    for word in words:
        size = len(squeezed(word.text))
        if count + size <= before:
            left.append(word)
        elif count >= before:
            right.append(word)
        else:
            parts = _cut(word, before - count)
            left.append(parts[0])
            right.append(parts[1])
        count += size
    return left, right


def _cut(word: TimedWord, at: int) -> tuple[TimedWord, TimedWord]:
    middle = rounded(word.start + (word.end - word.start) * at / len(word.text))
    head = word._replace(text=word.text[:at], end=middle, estimated=1)
    return head, word._replace(text=word.text[at:], start=middle, estimated=1, gap="")


def _timed(word: TimedWord, start: float, end: float) -> TimedWord:
    has_moved = start != word.start or end != word.end
    estimated = 1 if has_moved else word.estimated
    return TimedWord(word.text, start, end, word.probability, estimated, word.gap)


def _clamped(moment: float, limits: tuple[float, float]) -> float:
    return rounded(min(max(moment, limits[0]), limits[1]))
