"""Parsing of message fields: errors name the field and the problem."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LARGEST_NUMBER = 2**53  # beyond it floats are no longer whole


class InvalidMessage(ValueError):
    """A message that does not follow the protocol; names the field and says what is wrong."""

    def __init__(self, field_name: str, why: str, code: str = "INVALID_REQUEST") -> None:
        super().__init__(f"{field_name}: {why}")
        self.field_name = field_name
        self.code = code


def read_json(content: bytes) -> Any:
    """Parse JSON from a peer into values that any database and any encoder can hold.

    NUL and lone surrogates are taken out of texts; NaN (which Python writes and JSON has not),
    infinities and numbers beyond 2**53 become None. Raises InvalidMessage where it is not JSON.
    """
    try:
        return _clean(json.loads(content))
    except (ValueError, RecursionError) as wrong:
        raise InvalidMessage("body", "is not JSON") from wrong


def _clean(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case bool() | None:
            return value
        case int() | float():
            return value if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else None  # NaN: None
        case list():
            return [_clean(entry) for entry in value]
        case _:
            return {plain(name): _clean(entry) for name, entry in value.items()}


def plain(text: str) -> str:
    """The text without NUL and with lone surrogates replaced: what UTF-8 and databases can hold."""
    text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def as_mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidMessage(name, "must be a JSON object")
    return value


def read_text(wire: Mapping[str, Any], name: str, default: str | None = None, limit: int = 1000) -> str:
    value = wire.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise InvalidMessage(name, "must be text")
    if len(value) > limit:
        raise InvalidMessage(name, f"must have at most {limit} characters")
    if plain(value) != value:
        raise InvalidMessage(name, "must be plain Unicode text without NUL")
    return value


def read_url(wire: Mapping[str, Any], name: str) -> str:
    value = read_text(wire, name, limit=4000)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise InvalidMessage(name, "must be an http or https address")
    return value


def read_whole(wire: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = wire.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidMessage(name, f"must be a whole number from {low} to {high}")
    return value


def read_number(wire: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = wire.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidMessage(name, f"must be a number from {low:g} to {high:g}")
    return float(value)


def read_flag(wire: Mapping[str, Any], name: str, default: bool) -> bool:
    value = wire.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidMessage(name, "must be true or false")
    return value
