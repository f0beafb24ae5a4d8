"""Reading JSON from a peer that may be odd."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_worker.shared.protocol import InvalidMessage, read_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def is_storable(value: object) -> bool:
    if isinstance(value, dict):
        return all(is_storable(key) and is_storable(entry) for key, entry in value.items())
    if isinstance(value, list):
        return all(map(is_storable, value))
    if isinstance(value, str):
        return "\0" not in value and value.encode() != b"\0"
    return (
        value is None or (math.isfinite(value) and abs(value) <= 2**53)
        if not isinstance(value, bool)
        else True
    )


@given(VALUES)
def test_whatever_python_writes_is_read_as_something_a_database_can_hold(value: object) -> None:
    assert is_storable(read_json(json.dumps(value).encode()))


def test_lone_surrogates_nul_and_absurd_numbers_are_mended() -> None:
    text = b'{"a": "x\\ud83dy\\u0000z", "b": NaN, "c": 1e999, "d": -5, "e\\udc00": 1' + b"0" * 400 + b"}"
    assert read_json(text) == {"a": "x?yz", "b": None, "c": None, "d": -5, "e?": None}


def test_a_real_emoji_stays() -> None:
    assert read_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"1" + b"0" * 5000])
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidMessage):
        read_json(content)
