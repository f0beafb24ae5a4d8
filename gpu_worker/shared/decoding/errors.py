"""Why a file cannot be decoded."""

from __future__ import annotations

from gpu_worker.shared.decoding import limits

UNDECODABLE = "INPUT_UNDECODABLE"


class DecodeError(Exception):
    """A sentence for people, and the protocol's code for it."""

    code = UNDECODABLE


class NoSoundTrack(DecodeError):
    """The file is readable but has no audio."""

    def __init__(self) -> None:
        super().__init__("The file has no audio track.")


class TooLong(DecodeError):
    """The recording is longer than the limit; what has been decoded so far is valid."""

    code = "INPUT_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(f"The recording is longer than {limits.MAX_SECONDS // 3600} hours.")
