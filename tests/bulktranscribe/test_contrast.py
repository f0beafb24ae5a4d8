"""Every pair of colours that meets on the pages can be told apart, by day and by night (WCAG AA)."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[2] / "bulktranscribe/static/bulktranscribe/tokens.css"
SURFACES = ("page", "surface", "sunken")
TEXT_PAIRS = [
    *((text, surface) for text in ("text", "text-muted", "error") for surface in SURFACES),
    *(
        (text, surface)
        for text in ("accent", "accent-strong", "ok", "warn")
        for surface in ("page", "surface")
    ),
    *(("text", soft) for soft in ("accent-soft", "warn-soft", "error-soft", "spoken")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]
CONTROL_PAIRS = [
    *(("line-control", surface) for surface in ("page", "surface")),
    *((f"speaker-{number}", surface) for number in range(1, 10) for surface in ("page", "surface")),
    ("accent", "line"),
]


def colours(theme: int) -> dict[str, str]:
    """The tokens that are a pair of colours: name → the light (0) or the dark (1) one."""
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS.read_text())
    return {name: pair[theme] for name, *pair in found}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("pairs", "least"), [(TEXT_PAIRS, 4.5), (CONTROL_PAIRS, 3.0)], ids=["text", "controls"]
)
def test_colours_can_be_told_apart(theme: int, pairs: list[tuple[str, str]], least: float) -> None:
    tokens = colours(theme)
    weak = {pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2) for pair in pairs}
    assert not {pair: ratio for pair, ratio in weak.items() if ratio < least}
