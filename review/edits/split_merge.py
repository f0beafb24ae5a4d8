"""Splitting and merging of segments in wire format. Pure."""

from typing import Any

from review.edits.edit_validation import InvalidEdit
from review.edits.patches import Row
from review.edits.tokens import gap_between, joined, squeezed, trim_end, trim_start
from review.edits.word_timing import TimedWord, align, cut_machine_text, split


def halves(segment: Row, at: int) -> tuple[Row, Row]:
    """Return both halves of a segment split at an offset; the second still has the key of the first.

    The space at the cut is dropped; flags go to the longer half (the first, if equal).
    Raises InvalidEdit if a half would be empty.
    """
    text = segment["text"]
    if at > len(text) or not squeezed(text[:at]) or not squeezed(text[at:]):
        raise InvalidEdit("INVALID_SPLIT", "Both parts must contain text.")
    left, right, middle = split(segment["words"], text, at, segment["start"], segment["end"])
    cut = cut_machine_text(text, at, segment["machineText"])
    is_first_larger = len(squeezed(text[:at])) >= len(squeezed(text[at:]))
    first = {
        **segment,
        "end": middle,
        "text": trim_end(text[:at]),
        "words": left,
        "flags": segment["flags"] if is_first_larger else [],
        "machineText": trim_end(segment["machineText"][:cut]),
    }
    second = {
        **segment,
        "start": middle,
        "text": trim_start(text[at:]),
        "words": right,
        "flags": [] if is_first_larger else segment["flags"],
        "machineText": trim_start(segment["machineText"][cut:]),
    }
    return first, second


def around(segment: Row, begin: int, end: int) -> tuple[list[Row], int]:
    """Split a selection out of a segment: return the parts in order and the index of the selection.

    There are three parts, or two if nothing remains before or after. Raises InvalidEdit if the selection is
    empty or covers everything.
    """
    text = segment["text"]
    if end > len(text) or begin >= end or not squeezed(text[begin:end]):
        raise InvalidEdit("INVALID_SPLIT", "Select some words of the segment.")
    has_before, has_behind = bool(squeezed(text[:begin])), bool(squeezed(text[end:]))
    if not has_before and not has_behind:
        raise InvalidEdit("INVALID_SPLIT", "The selection is the whole segment.")
    if not has_before:
        return list(halves(segment, end)), 0
    before, rest = halves(segment, begin)
    if not has_behind:
        return [before, rest], 1
    shift = len(text) - len(rest["text"])
    return [before, *halves(rest, end - shift)], 1


def union(earlier: Row, later: Row) -> Row:
    """Return the fields of a segment after merging the following one into it."""
    return {
        "start": min(earlier["start"], later["start"]),
        "end": max(earlier["end"], later["end"]),
        "text": joined(earlier["text"], later["text"]),
        "words": _joined_words(earlier, later),
        "flags": _joined_flags(earlier["flags"], later["flags"]),
        "highlighted": earlier["highlighted"] or later["highlighted"],
        "checked": earlier["checked"] and later["checked"],
        "machineText": joined(earlier["machineText"], later["machineText"]),
    }


def _joined_words(earlier: Row, later: Row) -> list[TimedWord]:
    if not earlier["words"] and not later["words"]:
        return []
    left, right = (
        segment["words"] or align([], segment["text"], segment["start"], segment["end"])
        for segment in (earlier, later)
    )
    if not left or not right:
        return [*left, *right]
    gap = gap_between(trim_end(earlier["text"]), trim_start(later["text"]))
    return [*left, right[0]._replace(gap=gap), *right[1:]]


def _joined_flags(earlier: list[dict[str, Any]], later: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {flag["kind"]: flag for flag in earlier}
    for flag in later:
        known = found.get(flag["kind"])
        found[flag["kind"]] = _joined_flag(known, flag) if known else flag
    return list(found.values())


def _joined_flag(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the higher score, dismissed only if both were."""
    joined_flag = {"kind": one["kind"], "score": max(one["score"], other["score"])}
    if one.get("dismissed") and other.get("dismissed"):
        joined_flag["dismissed"] = True
    return joined_flag
