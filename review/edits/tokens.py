"""Tokenization for alignment, counting, and splitting; identical to the page's `tokens`. Pure.

A token is a run of non-space characters. In scripts written without spaces, each character is a token. Offsets
and lengths count code points.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

SPACES = "\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
SCRIPTS_WITHOUT_SPACES = (
    "\\u0e00-\\u0eff"  # Thai, Lao
    "\\u1000-\\u109f\\uaa60-\\uaa7f\\ua9e0-\\ua9ff"  # Myanmar
    "\\u1780-\\u17ff"  # Khmer
    "\\u2e80-\\u2fdf\\u3005-\\u3007\\u3021-\\u3029\\u3038-\\u303b"  # Han: radicals, repetition, numerals
    "\\u3040-\\u30ff\\u31f0-\\u31ff\\uff66-\\uff9f"  # Hiragana, Katakana
    "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\U00020000-\\U0003ffff"  # Han
)
PUNCTUATION_WITHOUT_SPACES = "\\u3001-\\u3004\\u3008-\\u3020\\u3030\\uff00-\\uff65"
TOKEN = re.compile(f"[{SCRIPTS_WITHOUT_SPACES}]|[^{SPACES}{SCRIPTS_WITHOUT_SPACES}]+")
SPACE = re.compile(f"[{SPACES}]+")
CLOSE = re.compile(f"[{SCRIPTS_WITHOUT_SPACES}{PUNCTUATION_WITHOUT_SPACES}]")
MAX_PAIRS = 65_536  # equal pairs beyond which a changed stretch is not compared: it would take seconds


@dataclass(frozen=True)
class Token:
    """One token at `offset` of its text; `gap` is the space before it, "" at the start."""

    text: str
    offset: int
    gap: str

    @property
    def end(self) -> int:
        """Return the offset after the token."""
        return self.offset + len(self.text)


def tokens(text: str) -> list[Token]:
    """Split a text into tokens."""
    found: list[Token] = []
    behind = 0
    for match in TOKEN.finditer(text):
        gap = " " if found and match.start() > behind else ""
        found.append(Token(match.group(), match.start(), gap))
        behind = match.end()
    return found


def squeezed(text: str) -> str:
    """Return the text without spaces."""
    return SPACE.sub("", text)


def trim_start(text: str) -> str:
    """Return the text without leading spaces."""
    space = SPACE.match(text)
    return text[space.end() :] if space else text


def trim_end(text: str) -> str:
    """Return the text without trailing spaces."""
    return text[: len(trim_start(text[::-1]))]


def gap_between(left: str, right: str) -> str:
    """Return the separator of two texts: a space, or nothing next to a script without spaces or an empty text."""
    if not left or not right or CLOSE.match(left[-1]) or CLOSE.match(right[0]):
        return ""
    return " "


def joined(left: str, right: str) -> str:
    """Return both texts as one."""
    left, right = trim_end(left), trim_start(right)
    return left + gap_between(left, right) + right


def matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs (index in old, index in new) of equal tokens, in order.

    Common prefix and suffix, then Ratcliff-Obershelp's longest blocks in between (difflib's, the earliest of
    equal ones). A part with more than MAX_PAIRS equal pairs counts as entirely new.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    pairs = [(n, n) for n in range(head)]
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if _pair_count(inner_old, inner_new) <= MAX_PAIRS:
        found = SequenceMatcher(None, inner_old, inner_new, autojunk=False).get_matching_blocks()
        pairs += [(head + i + n, head + j + n) for i, j, size in found for n in range(size)]
    return pairs + [(len(old) - n, len(new) - n) for n in range(tail, 0, -1)]


def are_alike(old: str, new: str) -> bool:
    """Return whether two tokens differ only in case and punctuation."""
    return _bare(old) == _bare(new)


def _bare(token: str) -> str:
    return "".join(char for char in token.lower() if not unicodedata.category(char).startswith("P"))


def _pair_count(old: Sequence[str], new: Sequence[str]) -> int:
    counts = Counter(new)
    return sum(number * counts[token] for token, number in Counter(old).items())
