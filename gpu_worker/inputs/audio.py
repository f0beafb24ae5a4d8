"""Decode a media file of unknown origin to 16 kHz mono float32, in a sandboxed child process.

`python -m gpu_worker.inputs.audio PARENT SOURCE TARGET` prints one JSON object: {"samples"}, {"code", "message"} or
{"errno"}.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from gpu_worker.errors import Fault
from gpu_worker.shared.decoding import (
    UNDECODABLE,
    DecodedAudio,
    DecodeError,
    MediaFile,
    OutOfTime,
    ask_child,
    child_arguments,
    limit_process,
    limits,
    open_nothing_more,
    opened,
    refuse_if_too_long,
)
from gpu_worker.sound import SAMPLE_RATE

SAMPLE_BYTES = 4  # float32
FULL_SCALE = 32768.0  # of 16-bit samples


def decode(source: Path, target: Path, checkpoint: Callable[[], None]) -> int:
    """Decode `source` into raw samples at `target` and return how many there are.

    `checkpoint` is called a few times a second and may raise to stop. Raises Fault, Interrupted where the worker is
    being stopped, and OSError (ENOSPC) where the disk is full.
    """
    try:
        answer = ask_child("gpu_worker.inputs.audio", str(source), str(target), checkpoint=checkpoint)
    except OutOfTime:
        raise Fault(UNDECODABLE, "Decoding this file takes too long; it may be damaged.") from None
    return _outcome(answer)


def _outcome(answer: bytes) -> int:
    try:
        result: dict[str, Any] = json.loads(answer)
    except ValueError:  # killed by a limit or by the decoder itself
        raise Fault(UNDECODABLE, "The decoder crashed on this file; it is damaged.") from None
    if result.get("errno"):
        raise OSError(result["errno"], os.strerror(result["errno"]))
    if "code" in result:
        raise Fault(result["code"], result["message"])
    return int(result["samples"])


def main(source: str, target: str) -> dict[str, object]:
    """The child: returns what is printed for the parent."""
    try:
        _limit()
        with MediaFile(source) as file, Path(target).open("wb") as out:
            open_nothing_more()
            refuse_if_too_long(file)
            return {"samples": _write(file, out)}
    except DecodeError as refusal:
        return {"code": refusal.code, "message": str(refusal)}
    except MemoryError:
        return {
            "code": UNDECODABLE,
            "message": "Decoding this file takes more memory than allowed; it may be damaged.",
        }
    except OSError as failure:
        return {"errno": failure.errno or errno.EIO}


def _limit() -> None:
    import numpy  # noqa: F401

    limit_process(written=(limits.MAX_SECONDS + limits.MAX_GAP_SECONDS) * SAMPLE_RATE * SAMPLE_BYTES)


def _write(file: MediaFile, out: BinaryIO) -> int:
    import numpy as np

    with opened(file) as container:
        audio = DecodedAudio(container, "mono", SAMPLE_RATE)
        for part in audio:
            if isinstance(part, int):
                out.write(bytes(part * SAMPLE_BYTES))
            else:
                out.write((part.to_ndarray()[0].astype(np.float32) / FULL_SCALE).tobytes())
        return audio.samples


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*child_arguments())))
