"""Validation of edits: the fields of every kind, parsed strictly. Pure.

Input is rejected here with InvalidEdit; afterward, edits are plain values.
"""

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from gpu_worker.shared.protocol.reading import plain

MAX_TEXT = 200_000
MAX_NAME = 200
MAX_OFFSET = MAX_TEXT
MAX_KEYS = 30_000
COLOURS = 9
STATUSES = ("new", "in_review", "second_look", "done")
EditRequest = dict[str, Any]  # `kind` and the fields of that kind


class InvalidEdit(ValueError):
    """An invalid edit; `code` is for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read(edit: object) -> EditRequest:
    """Return the edit with `kind` and the fields that its kind has. Raises InvalidEdit."""
    if not isinstance(edit, dict):
        raise InvalidEdit("INVALID_FIELD", "An edit must be a JSON object.")
    kind = edit.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidEdit("UNKNOWN_KIND", "Unknown kind of edit.")
    read_fields = {name: read_field(edit, name) for name, read_field in KINDS[kind].items()}
    present = {name: value for name, value in read_fields.items() if value is not ABSENT}
    return {"kind": kind, **present}


def uuid_text(value: object, name: str) -> str:
    """Return an id in canonical form. Raises InvalidEdit."""
    try:
        return str(UUID(value if isinstance(value, str) and len(value) <= 40 else ""))
    except ValueError:
        raise _wrong(name, "must be a UUID") from None


def plain_text(value: object, name: str, limit: int) -> str:
    """Return a text that any database can hold. Raises InvalidEdit."""
    if not isinstance(value, str):
        raise _wrong(name, "must be text")
    if len(value) > limit:
        raise _wrong(name, f"must have at most {limit} characters")
    if plain(value) != value:
        raise _wrong(name, "must be Unicode text without NUL")
    return value


ABSENT = object()
Reader = Callable[[EditRequest, str], Any]


def _key(edit: EditRequest, name: str) -> str:
    return uuid_text(edit.get(name), name)


def _key_or_null(edit: EditRequest, name: str) -> str | None:
    return None if edit.get(name, ABSENT) is None else _key(edit, name)


def _optional_key_or_null(edit: EditRequest, name: str) -> Any:
    return _key_or_null(edit, name) if name in edit else ABSENT


def _two_keys(edit: EditRequest, name: str) -> list[str]:
    keys = edit.get(name)
    if not isinstance(keys, list) or len(keys) != 2:
        raise _wrong(name, "must be two UUIDs")
    return [uuid_text(key, name) for key in keys]


def _keys_or_all(edit: EditRequest, name: str) -> list[str] | str:
    keys = edit.get(name)
    if keys == "all":
        return "all"
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise _wrong(name, 'must be a list of UUIDs or "all"')
    return list(dict.fromkeys(uuid_text(key, name) for key in keys))


def _text(edit: EditRequest, name: str) -> str:
    return plain_text(edit.get(name), name, MAX_TEXT)


def _name(edit: EditRequest, name: str) -> str:
    return " ".join(plain_text(edit.get(name), name, MAX_NAME).split())


def _name_or_null(edit: EditRequest, name: str) -> str | None:
    return None if edit.get(name, ABSENT) is None else _name(edit, name) or None


def _flag_name(edit: EditRequest, name: str) -> str:
    return plain_text(edit.get(name), name, MAX_NAME)


def _seconds(edit: EditRequest, name: str) -> float:
    value = edit.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise _wrong(name, "must be a number of seconds")
    return math.floor(value * 1000 + 0.5) / 1000


def _offset(edit: EditRequest, name: str) -> int:
    value = edit.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_OFFSET:
        raise _wrong(name, "must be an offset into the text")
    return value


def _switch(edit: EditRequest, name: str) -> bool:
    value = edit.get(name)
    if not isinstance(value, bool):
        raise _wrong(name, "must be true or false")
    return value


def _digit(edit: EditRequest, name: str) -> int:
    value = edit.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= COLOURS:
        raise _wrong(name, f"must be a number from 1 to {COLOURS}")
    return value


def _digit_or_null(edit: EditRequest, name: str) -> int | None:
    return None if edit.get(name, ABSENT) is None else _digit(edit, name)


def _one_of(*choices: str) -> Reader:
    def read_choice(edit: EditRequest, name: str) -> str:
        value = edit.get(name)
        if not isinstance(value, str) or value not in choices:
            raise _wrong(name, f"must be one of {', '.join(choices)}")
        return value

    return read_choice


def _wrong(name: str, why: str) -> InvalidEdit:
    return InvalidEdit("INVALID_FIELD", f"{name} {why}.")


KINDS: dict[str, dict[str, Reader]] = {
    "SetText": {"segment": _key, "text": _text},
    "SetTimes": {"segment": _key, "start": _seconds, "end": _seconds},
    "SetSpeaker": {"segment": _key, "speaker": _key_or_null, "scope": _one_of("one", "run", "everywhere")},
    "Split": {"segment": _key, "at": _offset, "newKey": _key},
    "SplitThreeWay": {
        "segment": _key,
        "from": _offset,
        "to": _offset,
        "newKeys": _two_keys,
        "speaker": _optional_key_or_null,
    },
    "Merge": {"segment": _key, "with": _one_of("previous", "next")},
    "Insert": {
        "after": _key_or_null,
        "newKey": _key,
        "start": _seconds,
        "end": _seconds,
        "text": _text,
        "speaker": _key_or_null,
    },
    "Delete": {"segment": _key},
    "Highlight": {"segment": _key, "on": _switch},
    "Check": {"segment": _key, "on": _switch},
    "DismissFlag": {"segment": _key, "flag": _flag_name},
    "AddSpeaker": {"newKey": _key, "name": _name},
    "RenameSpeaker": {"speaker": _key, "name": _name},
    "RecolourSpeaker": {"speaker": _key, "colour": _digit},
    "SetHotkey": {"speaker": _key, "hotkey": _digit_or_null},
    "MergeSpeakers": {"from": _key, "into": _key},
    "SetStatus": {"status": _one_of(*STATUSES)},
    "SetReviewer": {"reviewer": _name_or_null},
    "Restore": {"segments": _keys_or_all},
    "Undo": {},
    "Redo": {},
}
