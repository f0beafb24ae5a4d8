"""Patches: the changes of an edit as values that can be inverted, composed, and applied. Pure.

A patch is {"segments": [change], "speakers": [change], "transcript": change or None}; a change is
{"key", "before", "after"} (the transcript's has no key) with the fields that differ, or the whole row and
None if a row is created or deleted. Rows and fields are in wire format, without `version`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

Row = dict[str, Any]
Fields = dict[str, Any] | None


class Change(TypedDict):
    """One row: `before` is None if it is created, `after` if it is deleted."""

    key: str
    before: Fields
    after: Fields


class TranscriptChange(TypedDict):
    """Changed fields of the transcript itself."""

    before: Row
    after: Row


class Patch(TypedDict):
    """What one edit or one batch of edits changes."""

    segments: list[Change]
    speakers: list[Change]
    transcript: TranscriptChange | None


class Outdated(ValueError):
    """The rows have changed since the patch was created; `segments` and `speakers` are the keys that differ."""

    def __init__(self, segments: set[str], speakers: set[str]) -> None:
        super().__init__("the rows have changed meanwhile")
        self.segments = segments
        self.speakers = speakers


def nothing() -> Patch:
    """Return a patch that changes nothing."""
    return {"segments": [], "speakers": [], "transcript": None}


def changes_anything(patch: Patch) -> bool:
    """Return whether the patch changes anything."""
    return bool(patch["segments"] or patch["speakers"] or patch["transcript"])


def change(row: Row, **fields: Any) -> list[Change]:
    """Return the change that sets these values of the row: a list of one, or empty if unchanged."""
    differing = {name: value for name, value in fields.items() if row.get(name) != value}
    if not differing:
        return []
    return [{"key": row["key"], "before": {name: row.get(name) for name in differing}, "after": differing}]


def created(row: Row) -> Change:
    """Return the change that creates the row."""
    return {"key": row["key"], "before": None, "after": content(row)}


def deleted(row: Row) -> Change:
    """Return the change that deletes the row."""
    return {"key": row["key"], "before": content(row), "after": None}


def content(row: Row) -> Row:
    """Return the row without database fields."""
    return {name: value for name, value in row.items() if name != "version"}


def inverse(patch: Patch) -> Patch:
    """Return the inverse patch."""
    whole = patch["transcript"]
    return {
        "segments": [_turned(one) for one in reversed(patch["segments"])],
        "speakers": [_turned(one) for one in reversed(patch["speakers"])],
        "transcript": {"before": whole["after"], "after": whole["before"]} if whole else None,
    }


def compose(patches: Iterable[Patch]) -> Patch:
    """Return one patch equivalent to these in sequence."""
    segments: dict[str, Change] = {}
    speakers: dict[str, Change] = {}
    whole: TranscriptChange = {"before": {}, "after": {}}
    for patch in patches:
        for one in patch["segments"]:
            _add(segments, one)
        for one in patch["speakers"]:
            _add(speakers, one)
        if patch["transcript"]:
            whole["before"] = {**patch["transcript"]["before"], **whole["before"]}
            whole["after"] = {**whole["after"], **patch["transcript"]["after"]}
    return {
        "segments": [one for one in map(_essence, segments.values()) if one],
        "speakers": [one for one in map(_essence, speakers.values()) if one],
        "transcript": _whole_essence(whole),
    }


def lay(rows: dict[str, Row], changes: Iterable[Change]) -> None:
    """Apply the changes to rows by key."""
    for one in changes:
        if one["after"] is None:
            rows.pop(one["key"], None)
        else:
            rows[one["key"]] = {**rows.get(one["key"], {}), **one["after"]}


def outdated(rows: Mapping[str, Row], changes: Iterable[Change]) -> set[str]:
    """Return the keys of rows that differ from `before`."""
    return {one["key"] for one in changes if not _fits(rows.get(one["key"]), one["before"])}


def is_doubtful(row: Row) -> bool:
    """Return whether the segment has a flag that is not dismissed and is not checked."""
    return not row["checked"] and any(not flag.get("dismissed") for flag in row["flags"])


def unchecked_seconds(rows: Iterable[Row]) -> float:
    """Return the total duration of unchecked segments."""
    return sum(float(row["end"] - row["start"]) for row in rows if not row["checked"])


def _fits(row: Row | None, before: Fields) -> bool:
    if row is None or before is None:
        return row is None and before is None
    return all(row.get(name) == value for name, value in before.items())


def _turned(one: Change) -> Change:
    return {"key": one["key"], "before": one["after"], "after": one["before"]}


def _add(changes: dict[str, Change], later: Change) -> None:
    earlier = changes.get(later["key"])
    if earlier is None:
        changes[later["key"]] = later
        return
    before, after = earlier["before"], later["after"]
    if before is not None:
        before = {**(later["before"] or {}), **before}
    if after is not None:
        after = {**(earlier["after"] or {}), **after}
    changes[later["key"]] = {"key": later["key"], "before": before, "after": after}


def _essence(one: Change) -> Change | None:
    before, after = one["before"], one["after"]
    if before is None or after is None:
        return None if before is after else one
    differing = [name for name in after if before.get(name) != after[name]]
    if not differing:
        return None
    return {
        "key": one["key"],
        "before": {name: before.get(name) for name in differing},
        "after": {name: after[name] for name in differing},
    }


def _whole_essence(whole: TranscriptChange) -> TranscriptChange | None:
    differing = [name for name, value in whole["after"].items() if whole["before"][name] != value]
    if not differing:
        return None
    return {
        "before": {name: whole["before"][name] for name in differing},
        "after": {name: whole["after"][name] for name in differing},
    }
