"""What a worker says of itself is read whatever is in it."""

from typing import Any

import pytest

from gpu_worker.shared.protocol import Capabilities, parse_capabilities

SAID = {
    "version": "9.9",
    "gpu": True,
    "gpuName": "H100",
    "models": ["large-v3", 5, "tiny.en"],
    "model": "large-v3",
    "diarizationTrouble": "",
    "maxFileMB": 2,
    "activeJobs": 3,
    "maxConcurrentJobs": 2,
    "queueSize": 1,
    "answersMany": True,
    "protocolVersion": 1,
}


def test_all_that_is_said_is_read() -> None:
    said = parse_capabilities(SAID)
    assert said == Capabilities(
        "9.9", True, "H100", ("large-v3", "tiny.en"), "large-v3", "", 2, 3, 2, 1, True, 1
    )
    assert (said.places, said.is_full, said.max_bytes, said.tells_speakers) == (3, True, 2_000_000, True)


@pytest.mark.parametrize("said", [{}, None, [], "worker", dict.fromkeys(SAID)])
def test_who_says_nothing_takes_one_file_of_any_size(said: Any) -> None:
    read = parse_capabilities(said)
    assert read == Capabilities()
    assert (read.places, read.is_full, read.max_bytes, read.tells_speakers) == (1, False, None, True)


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("models", "large-v3"),
        ("models", {"large-v3": 1}),
        ("maxFileMB", 0),
        ("maxFileMB", "2000"),
        ("maxConcurrentJobs", 0),
        ("maxConcurrentJobs", 10**9),
        ("maxConcurrentJobs", 1.5),
        ("queueSize", -1),
        ("queueSize", 10**9),
        ("activeJobs", "3"),
        ("answersMany", "yes"),
        ("protocolVersion", "2"),
    ],
)
def test_what_makes_no_sense_counts_as_not_said(name: str, odd: object) -> None:
    rest = {key: value for key, value in SAID.items() if key != name}
    assert parse_capabilities({**rest, name: odd}) == parse_capabilities(rest)


@pytest.mark.parametrize(("version", "is_understood"), [(None, True), (1, True), (2, False)])
def test_another_version_of_the_protocol_is_not_understood(version: int | None, is_understood: bool) -> None:
    assert parse_capabilities({"protocolVersion": version}).is_compatible is is_understood
