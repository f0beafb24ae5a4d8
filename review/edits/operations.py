"""Edit operations: `apply(state, sent)` returns the changes of an edit as a patch. Pure.

The page's edits.js produces the same patches; tests/golden/edits.json verifies both. Undo and Redo are resolved
by `storage`, which knows who did what.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from review.edits import split_merge
from review.edits.edit_validation import COLOURS, EditRequest, InvalidEdit, read
from review.edits.fractional_index import NoRoom, between
from review.edits.patches import Change, Patch, Row, change, created, deleted, nothing
from review.edits.word_timing import TimedWord, align, fit


class State(Protocol):
    """The rows that an edit may read, in wire format. Unknown keys return None."""

    transcript: Row

    def segment(self, key: str) -> Row | None: ...

    def speaker(self, key: str) -> Row | None: ...

    def speakers(self) -> list[Row]: ...

    def previous(self, rank: str) -> Row | None: ...

    def next(self, rank: str) -> Row | None: ...

    def run_from(self, segment: Row) -> list[Row]:
        """Return this segment and the following ones by the same speaker."""

    def spoken_by(self, speaker: str | None) -> list[Row]:
        """Return all segments of a speaker."""

    def all_segments(self) -> list[Row]:
        """Return all segments in order."""

    def machine_words(self, segment: Row) -> list[TimedWord]:
        """Return the machine's words within this segment; empty if unavailable."""


def apply(state: State, sent: object) -> Patch:
    """Return the patch of an edit. Raises InvalidEdit."""
    edit = read(sent)
    make = MAKERS.get(edit["kind"])
    if make is None:
        raise InvalidEdit("UNKNOWN_KIND", "This kind of edit is reserved for the server.")
    try:
        return make(state, edit)
    except NoRoom:
        raise InvalidEdit("NO_ROOM", "There is no room for a segment here.") from None


# One segment -------------------------------------------------------------------------------------


def _set_text(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    if segment["text"] == edit["text"]:
        return nothing()
    words = align(segment["words"], edit["text"], segment["start"], segment["end"])
    return _segments(change(segment, text=edit["text"], words=words))


def _set_times(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    start, end = edit["start"], edit["end"]
    _check_times(start, end, max(state.transcript["duration"], segment["end"]))
    words = fit(segment["words"], (segment["start"], segment["end"]), (start, end))
    return _segments(change(segment, start=start, end=end, words=words))


def _set_speaker(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    speaker = _speaker_or_none(state, edit["speaker"])
    match edit["scope"]:
        case "run":
            segments = state.run_from(segment)
        case "everywhere":
            segments = state.spoken_by(segment["speaker"])
        case _:
            segments = [segment]
    return _segments(part for one in segments for part in change(one, speaker=speaker))


def _delete(state: State, edit: EditRequest) -> Patch:
    return _segments([deleted(_segment(state, edit["segment"]))])


def _highlight(state: State, edit: EditRequest) -> Patch:
    return _segments(change(_segment(state, edit["segment"]), highlighted=edit["on"]))


def _check(state: State, edit: EditRequest) -> Patch:
    return _segments(change(_segment(state, edit["segment"]), checked=edit["on"]))


def _dismiss_flag(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    if not any(flag["kind"] == edit["flag"] for flag in segment["flags"]):
        raise InvalidEdit("UNKNOWN_FLAG", "This segment does not have that flag.")
    flags = [
        {**flag, "dismissed": True} if flag["kind"] == edit["flag"] else flag for flag in segment["flags"]
    ]
    return _segments(change(segment, flags=flags))


def _restore(state: State, edit: EditRequest) -> Patch:
    keys = edit["segments"]
    segments = state.all_segments() if keys == "all" else [_segment(state, key) for key in keys]
    wanted = (
        segment
        for segment in segments
        if segment["machineText"] and segment["machineText"] != segment["text"]
    )
    return _segments(part for segment in wanted for part in _restored(state, segment))


def _restored(state: State, segment: Row) -> list[Change]:
    known = state.machine_words(segment) or segment["words"]
    words = align(known, segment["machineText"], segment["start"], segment["end"])
    return change(segment, text=segment["machineText"], words=words)


# Segments made, cut and joined -------------------------------------------------------------------


def _split(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    _check_new(state, [edit["newKey"]])
    first, second = split_merge.halves(segment, edit["at"])
    second["key"], second["rank"] = edit["newKey"], _rank_behind(state, segment["rank"])
    return _segments([*change(segment, **_content(first)), created(second)])


def _split_three_way(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    _check_new(state, edit["newKeys"])
    parts, chosen = split_merge.around(segment, edit["from"], edit["to"])
    if "speaker" in edit:
        parts[chosen]["speaker"] = _speaker_or_none(state, edit["speaker"])
    following = state.next(segment["rank"])
    rank = segment["rank"]
    for part, key in zip(parts[1:], edit["newKeys"], strict=False):
        rank = between(rank, following["rank"] if following else None)
        part["key"], part["rank"] = key, rank
    return _segments([*change(segment, **_content(parts[0])), *(created(part) for part in parts[1:])])


def _merge(state: State, edit: EditRequest) -> Patch:
    segment = _segment(state, edit["segment"])
    is_next = edit["with"] == "next"
    other = state.next(segment["rank"]) if is_next else state.previous(segment["rank"])
    if other is None:
        raise InvalidEdit("NO_NEIGHBOUR", "There is no segment to merge with.")
    earlier, later = (segment, other) if is_next else (other, segment)
    return _segments([*change(earlier, **split_merge.union(earlier, later)), deleted(later)])


def _insert(state: State, edit: EditRequest) -> Patch:
    _check_new(state, [edit["newKey"]])
    start, end = edit["start"], edit["end"]
    _check_times(start, end, state.transcript["duration"])
    rank = _segment(state, edit["after"])["rank"] if edit["after"] is not None else ""
    segment = {
        "key": edit["newKey"],
        "rank": _rank_behind(state, rank),
        "start": start,
        "end": end,
        "text": edit["text"],
        "words": align([], edit["text"], start, end),
        "speaker": _speaker_or_none(state, edit["speaker"]),
        "flags": [],
        "highlighted": False,
        "checked": False,
        "machineText": "",
    }
    return _segments([created(segment)])


# Speakers and the transcript itself --------------------------------------------------------------


def _add_speaker(state: State, edit: EditRequest) -> Patch:
    if state.speaker(edit["newKey"]) is not None:
        raise InvalidEdit("KEY_TAKEN", "This key is already in use.")
    if not edit["name"]:
        raise InvalidEdit("INVALID_NAME", "Enter a speaker name.")
    known = state.speakers()
    taken = {speaker["hotkey"] for speaker in known}
    speaker = {
        "key": edit["newKey"],
        "label": "",
        "name": edit["name"],
        "colour": len(known) % COLOURS + 1,
        "hotkey": next((digit for digit in range(1, 10) if digit not in taken), None),
        "removed": False,
    }
    return _speakers([created(speaker)])


def _rename_speaker(state: State, edit: EditRequest) -> Patch:
    speaker = _speaker(state, edit["speaker"])
    if not edit["name"] and not speaker["label"]:
        raise InvalidEdit("INVALID_NAME", "Enter a speaker name.")
    return _speakers(change(speaker, name=edit["name"]))


def _recolour_speaker(state: State, edit: EditRequest) -> Patch:
    return _speakers(change(_speaker(state, edit["speaker"]), colour=edit["colour"]))


def _set_hotkey(state: State, edit: EditRequest) -> Patch:
    speaker, hotkey = _speaker(state, edit["speaker"]), edit["hotkey"]
    others = [one for one in state.speakers() if one["key"] != speaker["key"] and one["hotkey"] == hotkey]
    given_up = [part for one in others if hotkey for part in change(one, hotkey=None)]
    return _speakers([*given_up, *change(speaker, hotkey=hotkey)])


def _merge_speakers(state: State, edit: EditRequest) -> Patch:
    source, target = _speaker(state, edit["from"]), _speaker(state, edit["into"])
    if source["key"] == target["key"]:
        raise InvalidEdit("SAME_SPEAKER", "Choose a different speaker to merge with.")
    segments = state.spoken_by(source["key"])
    return {
        "segments": [part for segment in segments for part in change(segment, speaker=target["key"])],
        "speakers": change(source, removed=True, hotkey=None),
        "transcript": None,
    }


def _set_status(state: State, edit: EditRequest) -> Patch:
    return transcript_change(state.transcript, reviewStatus=edit["status"])


def _set_reviewer(state: State, edit: EditRequest) -> Patch:
    return transcript_change(state.transcript, reviewer=edit["reviewer"])


def transcript_change(transcript: Row, **fields: Any) -> Patch:
    """Return the patch that sets these values of the transcript."""
    found = change({"key": "", **transcript}, **fields)
    patch = nothing()
    if found:
        patch["transcript"] = {"before": found[0]["before"] or {}, "after": found[0]["after"] or {}}
    return patch


MAKERS: dict[str, Callable[[State, EditRequest], Patch]] = {
    "SetText": _set_text,
    "SetTimes": _set_times,
    "SetSpeaker": _set_speaker,
    "Split": _split,
    "SplitThreeWay": _split_three_way,
    "Merge": _merge,
    "Insert": _insert,
    "Delete": _delete,
    "Highlight": _highlight,
    "Check": _check,
    "DismissFlag": _dismiss_flag,
    "AddSpeaker": _add_speaker,
    "RenameSpeaker": _rename_speaker,
    "RecolourSpeaker": _recolour_speaker,
    "SetHotkey": _set_hotkey,
    "MergeSpeakers": _merge_speakers,
    "SetStatus": _set_status,
    "SetReviewer": _set_reviewer,
    "Restore": _restore,
}


# What they share ---------------------------------------------------------------------------------


def _segments(changes: Iterable[Change]) -> Patch:
    return {**nothing(), "segments": list(changes)}


def _speakers(changes: Iterable[Change]) -> Patch:
    return {**nothing(), "speakers": list(changes)}


def _content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("key", "rank", "version")}


def _segment(state: State, key: str) -> Row:
    segment = state.segment(key)
    if segment is None:
        raise InvalidEdit("UNKNOWN_SEGMENT", "Segment not found.")
    return segment


def _speaker(state: State, key: str) -> Row:
    speaker = state.speaker(key)
    if speaker is None or speaker["removed"]:
        raise InvalidEdit("UNKNOWN_SPEAKER", "Speaker not found.")
    return speaker


def _speaker_or_none(state: State, key: str | None) -> str | None:
    return None if key is None else str(_speaker(state, key)["key"])


def _check_new(state: State, keys: list[str]) -> None:
    if len(set(keys)) < len(keys) or any(state.segment(key) is not None for key in keys):
        raise InvalidEdit("KEY_TAKEN", "This key is already in use.")


def _check_times(start: float, end: float, limit: float) -> None:
    if not 0 <= start <= end <= limit:
        raise InvalidEdit(
            "INVALID_TIMES", "The end must be after the start, and both must be within the recording."
        )


def _rank_behind(state: State, rank: str) -> str:
    following = state.next(rank)
    return between(rank or None, following["rank"] if following else None)
