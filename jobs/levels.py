"""How long and how loud a recording is, from beginning to end, read in a short-lived child process.

The child opens nothing but the file it was handed, knows a closed list of containers, and has limits on memory and
time: a hostile file ends the child, not the controller. `python -m jobs.levels SOURCE` prints one JSON object.
"""

import base64
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

MAX_LEVELS = 8192  # of a recording, however long: more than the pixels of a screen
RATE = 4000  # Hz: enough to see where somebody speaks
BIN = RATE // 20  # samples of a level at first: a twentieth of a second
# FFmpeg's demuxers for what may be uploaded; playlists, which would open other files, are not among them.
DEMUXERS = "wav,w64,mp3,mov,matroska,webm,ogg,flac,aac,asf,aiff"
MAX_BYTES = 2 * 1024**3  # of the child's memory
MAX_SECONDS = 900  # of its time; 12 h of sound take three minutes
MAX_DAMAGED = 1000  # packets


@dataclass(frozen=True)
class Look:
    """What was found: seconds, codec, channels, sampling rate in Hz, and `levels`, at most MAX_LEVELS of 0 … 255.

    `problem` says why nothing was found: "unreadable", "no_sound", "timeout"; then the rest is empty.
    """

    seconds: float = 0.0
    codec: str = ""
    channels: int = 0
    rate: int = 0
    levels: bytes = b""
    problem: str = ""


def look(path: Path) -> Look:
    """Return what a recording is; never raises for what is in the file."""
    command = [sys.executable, "-m", "jobs.levels", str(path)]
    root = Path(__file__).resolve().parent.parent
    try:
        child = subprocess.run(
            command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, timeout=MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Look(problem="timeout")
    try:
        told = json.loads(child.stdout)
    except ValueError:  # ended by a limit, or by a fault of a decoder
        return Look(problem="unreadable")
    return Look(**{**told, "levels": base64.b64decode(told["levels"])})


class Levels:
    """The loudest sample of each of at most MAX_LEVELS equal parts, whatever the length turns out to be."""

    def __init__(self) -> None:
        self.bin = BIN
        self.done = bytearray()
        self.samples = 0
        self._loudest, self._left = 0, BIN

    def add(self, samples: memoryview) -> None:
        """Take signed 16-bit samples."""
        self.samples += len(samples)
        while samples:
            some, samples = samples[: self._left], samples[self._left :]
            self._loudest = max(self._loudest, max(some), -min(some))
            self._left -= len(some)
            if not self._left:
                self._close()

    def all(self) -> bytes:
        """Return the levels so far, the last part included."""
        if self._left < self.bin:
            self._close()
        return bytes(self.done)

    def _close(self) -> None:
        self.done.append(min(255, self._loudest >> 7))
        if len(self.done) == MAX_LEVELS:  # too fine: each two become one
            self.done = bytearray(map(max, self.done[::2], self.done[1::2]))
            self.bin *= 2
        self._loudest, self._left = 0, self.bin


def main() -> None:
    """What the child does."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    found = asdict(_read(Path(sys.argv[1])))
    sys.stdout.write(json.dumps({**found, "levels": base64.b64encode(found["levels"]).decode()}))


def _read(path: Path) -> Look:
    import av  # only the child needs it

    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
    try:
        with path.open("rb") as file, av.open(file, options=options) as container:
            if not container.streams.audio:
                return Look(problem="no_sound")
            stream = container.streams.audio[0]
            levels = Levels()
            for frame in _frames(container, stream):
                plane = frame.planes[0]
                levels.add(memoryview(plane).cast("B")[: 2 * frame.samples].cast("h"))
            if not levels.samples:
                return Look(problem="unreadable")
            seconds = levels.samples / RATE
            codec = stream.codec_context
            return Look(seconds, codec.name, codec.channels, codec.sample_rate, levels.all())
    except (OSError, ValueError, MemoryError, av.FFmpegError):
        return Look(problem="unreadable")


def _frames(container: Any, stream: Any) -> Iterator["AudioFrame"]:
    """Yield the sound of a stream as mono at RATE; damaged packets are left out."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    damaged = 0
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                yield from resampler.resample(frame)
        except av.FFmpegError:
            damaged += 1
            if damaged > MAX_DAMAGED:
                return
    with suppress(av.FFmpegError):
        yield from resampler.resample(None)


if __name__ == "__main__":
    main()
