"""What an edit changes, as values: a patch can be turned round, put together and laid over rows. Pure.

A patch is {"segments": [change], "speakers": [change], "transcript": change or None}; a change is
{"key", "before", "after"} (the transcript's has no key) with the fields that differ, or the whole row and
None where a row is made or goes. Rows and fields are those of the wire, without `version`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

Row = dict[str, Any]
Fields = dict[str, Any] | None


class Change(TypedDict):
    """One row: `before` is None where it is new, `after` where it goes."""

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
    """The rows are not what the patch was made for; `segments` and `speakers` are the keys that differ."""

    def __init__(self, segments: set[str], speakers: set[str]) -> None:
        super().__init__("the rows have changed meanwhile")
        self.segments = segments
        self.speakers = speakers


def nothing() -> Patch:
    """Return a patch that changes nothing."""
    return {"segments": [], "speakers": [], "transcript": None}


def changes_anything(patch: Patch) -> bool:
    """Whether it does something."""
    return bool(patch["segments"] or patch["speakers"] or patch["transcript"])


def change(row: Row, **fields: Any) -> list[Change]:
    """Return the change that gives the row these values: a list of one, or of none where it has them."""
    differing = {name: value for name, value in fields.items() if row.get(name) != value}
    if not differing:
        return []
    return [{"key": row["key"], "before": {name: row.get(name) for name in differing}, "after": differing}]


def created(row: Row) -> Change:
    """Return the change that makes the row."""
    return {"key": row["key"], "before": None, "after": content(row)}


def deleted(row: Row) -> Change:
    """Return the change that takes the row away."""
    return {"key": row["key"], "before": content(row), "after": None}


def content(row: Row) -> Row:
    """The row without what the database says about it."""
    return {name: value for name, value in row.items() if name != "version"}


def inverse(patch: Patch) -> Patch:
    """Return the patch that takes this one back."""
    whole = patch["transcript"]
    return {
        "segments": [_turned(one) for one in reversed(patch["segments"])],
        "speakers": [_turned(one) for one in reversed(patch["speakers"])],
        "transcript": {"before": whole["after"], "after": whole["before"]} if whole else None,
    }


def compose(patches: Iterable[Patch]) -> Patch:
    """Return one patch that does what these do one after the other."""
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
    """Carry the changes out on rows by key."""
    for one in changes:
        if one["after"] is None:
            rows.pop(one["key"], None)
        else:
            rows[one["key"]] = {**rows.get(one["key"], {}), **one["after"]}


def outdated(rows: Mapping[str, Row], changes: Iterable[Change]) -> set[str]:
    """Return the keys of rows that are not what `before` says."""
    return {one["key"] for one in changes if not _fits(rows.get(one["key"]), one["before"])}


def is_doubtful(row: Row) -> bool:
    """Whether somebody should look at this segment: a flag that nobody dismissed, and not checked."""
    return not row["checked"] and any(not flag.get("dismissed") for flag in row["flags"])


def unchecked_seconds(rows: Iterable[Row]) -> float:
    """How long those of the segments are that nobody has checked."""
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
