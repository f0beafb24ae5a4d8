"""The order of segments: string ranks that sort like fractions, so that there is always one between two others.

A rank is made of 0-9a-z and never ends in "0"; ranks are compared byte by byte (`models.RankField`). Pure.
"""

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
BASE = len(DIGITS)
MIDDLE = DIGITS[BASE // 2]
LONGEST = 1000  # characters; five splits at one and the same place cost about one


class NoRoom(ValueError):
    """There is no rank of acceptable length between the two, or they are in the wrong order."""


def between(low: str | None, high: str | None) -> str:
    """Return a rank after `low` and before `high`; None is the beginning or the end. Raises NoRoom."""
    low = low or ""
    if high is not None and low >= high:
        raise NoRoom(f"nothing is between {low} and {high}")
    made = ""
    for place in range(LONGEST):
        floor = DIGITS.index(low[place]) if place < len(low) else 0
        ceiling = BASE if high is None else DIGITS.index(high[place]) if place < len(high) else 0
        if ceiling - floor > 1:
            return made + DIGITS[(floor + ceiling) // 2]
        made += DIGITS[floor]
        if ceiling > floor:
            high = None  # smaller already: what follows only has to be above `low`
    raise NoRoom("a rank would be too long")


def spread(count: int) -> list[str]:
    """Return `count` ranks of one width, equally far apart."""
    width = 1
    while BASE**width <= count:
        width += 1
    step = BASE**width // (count + 1)
    return [_written((number + 1) * step, width) + MIDDLE for number in range(count)]


def _written(value: int, width: int) -> str:
    written = ""
    for _place in range(width):
        value, digit = divmod(value, BASE)
        written = DIGITS[digit] + written
    return written
