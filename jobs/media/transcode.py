"""Transcodes a recording to Opus in WebM, which every browser plays, in a sandboxed child process.

`python -m jobs.media.transcode PARENT SOURCE TARGET` writes it and prints one JSON object.
"""

import errno
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gpu_worker.shared.decoding import (
    DecodedAudio,
    DecodeError,
    MediaFile,
    OutOfTime,
    TooLong,
    ask_child,
    child_arguments,
    limit_process,
    limits,
    open_nothing_more,
    opened,
    sound_track,
)
from gpu_worker.shared.disk import is_disk_full

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

RATE = 48_000  # Hz, Opus's own
BIT_RATES = {"mono": 48_000, "stereo": 96_000}  # bits a second: nobody hears a difference in speech
BYTES_A_SECOND = 16_000  # more than these, and their frames, ever take
BLOCK = RATE  # samples of silence at a time


@dataclass(frozen=True)
class Copy:
    """The result; `problem` is "disk_full", or "failed" if the file cannot be transcoded."""

    size_bytes: int = 0
    sha256: str = ""
    problem: str = ""


def copy(source: Path, target: Path) -> Copy:
    """Write the audio of `source` durably to `target`. Raises Interrupted."""
    try:
        return Copy(**json.loads(ask_child("jobs.media.transcode", str(source), str(target))))
    except (OutOfTime, ValueError):  # a limit, or a fault of a decoder
        return Copy(problem="failed")


def main(source: str, target: str) -> None:
    """Run the child process."""
    os.nice(10)
    limit_process(written=BYTES_A_SECOND * limits.MAX_SECONDS)
    sys.stdout.write(json.dumps(asdict(_copy(source, target))))


def _copy(source: str, target: str) -> Copy:
    import av  # only the child needs it

    try:
        with MediaFile(source) as file, Path(target).open("wb+") as copied:
            open_nothing_more()
            with opened(file) as container:
                _encode(container, copied)
            os.fsync(copied.fileno())
            copied.seek(0)
            sha256 = hashlib.file_digest(copied, "sha256").hexdigest()
            return Copy(copied.seek(0, os.SEEK_END), sha256)
    except (DecodeError, OSError, ValueError, MemoryError, av.FFmpegError) as failure:
        # Not EFBIG: that is the limit on what this child may write, so the file's own fault.
        full = is_disk_full(failure) and getattr(failure, "errno", None) != errno.EFBIG
        return Copy(problem="disk_full" if full else "failed")


def _encode(container: "InputContainer", target: BinaryIO) -> None:
    import av

    layout = "mono" if sound_track(container).codec_context.channels == 1 else "stereo"
    with av.open(target, "w", format="webm") as written:
        track = written.add_stream("libopus", rate=RATE, layout=layout, options={"compression_level": "5"})
        track.bit_rate = BIT_RATES[layout]
        at = 0
        for frame in _whole(DecodedAudio(container, layout, RATE), layout):
            frame.pts, at = at, at + frame.samples
            written.mux(track.encode(frame))
        written.mux(track.encode(None))


def _whole(audio: DecodedAudio, layout: str) -> Iterator["AudioFrame"]:
    """Yield the audio including silence, up to the longest that is decoded."""
    import av

    with suppress(TooLong):
        for part in audio:
            if not isinstance(part, int):
                yield part
                continue
            for start in range(0, part, BLOCK):
                silence = av.AudioFrame(format="s16", layout=layout, samples=min(BLOCK, part - start))
                silence.sample_rate = RATE
                for plane in silence.planes:
                    plane.update(bytes(plane.buffer_size))
                yield silence


if __name__ == "__main__":
    main(*child_arguments())
