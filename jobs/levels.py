"""How long and how loud a recording is, from beginning to end, read in a short-lived child process.

The child opens nothing but the file it was handed, knows a closed list of containers, and has limits on memory and
time: a hostile file ends the child, not the controller. `python -m jobs.levels SOURCE` prints one JSON object.
"""

import base64
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

MAX_LEVELS = 8192  # of a recording, however long: more than the pixels of a screen
RATE = 4000  # Hz: enough to see where somebody speaks
BIN = RATE // 20  # samples of a level at first: a twentieth of a second
# FFmpeg's demuxers for what may be uploaded; playlists, which would open other files, are not among them.
DEMUXERS = "wav,w64,mp3,mov,matroska,webm,ogg,flac,aac,asf,aiff"
MAX_BYTES = 2 * 1024**3  # of the child's memory
MAX_SECONDS = 900  # of its time; 12 h of sound take three minutes
STOPPED = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)  # a stop of the controller reaches its children
MAX_DAMAGED = 1000  # packets
MAX_HOURS = 12  # of sound; workers take no longer recordings
MAX_GAP = 3600.0  # seconds; a longer jump in the timestamps is damage, not silence
MIN_GAP = 0.1  # seconds; shorter ones are rounding


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


class Interrupted(Exception):
    """The controller is being stopped, and the child with it: this says nothing about the file."""


def look(path: Path) -> Look:
    """Return what a recording is; raises Interrupted, nothing for what is in the file."""
    command = [sys.executable, "-m", "jobs.levels", str(path)]
    root = Path(__file__).resolve().parent.parent
    try:
        child = subprocess.run(
            command, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, timeout=MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Look(problem="timeout")
    if child.returncode in STOPPED:
        raise Interrupted
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

    def skip(self, samples: int) -> None:
        """Take silence."""
        self.samples += samples
        while samples:
            some = min(samples, self._left)
            samples -= some
            self._left -= some
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
    # Imported before the limits: PyAV imports its classes for subtitles at the first file.
    import av.subtitles.codeccontext
    import av.subtitles.stream  # noqa: F401

    with suppress(ValueError, OSError):  # macOS has the name without the limit
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found = asdict(_read(Path(sys.argv[1])))
    sys.stdout.write(json.dumps({**found, "levels": base64.b64encode(found["levels"]).decode()}))


def _read(path: Path) -> Look:
    import av  # only the child needs it

    # A file of ours, and no protocol at all for anything that it may refer to.
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
    try:
        with path.open("rb") as file:
            _open_nothing_more()
            with av.open(file, "r", options=options, metadata_errors="ignore") as container:
                return _listen(container)
    except (OSError, ValueError, MemoryError, av.FFmpegError):
        return Look(problem="unreadable")


def _open_nothing_more() -> None:
    """From here on the kernel refuses this process every file and every socket but those it has."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _listen(container: "InputContainer") -> Look:
    if not container.streams.audio:
        return Look(problem="no_sound")
    stream = container.streams.audio[0]
    levels = Levels()
    for frame in _placed(container, stream, levels):
        plane = frame.planes[0]
        levels.add(memoryview(plane).cast("B")[: 2 * frame.samples].cast("h"))
        if levels.samples > MAX_HOURS * 3600 * RATE:
            break
    if not levels.samples:
        return Look(problem="unreadable")
    codec = stream.codec_context
    return Look(levels.samples / RATE, codec.name, codec.channels, codec.sample_rate, levels.all())


def _placed(container: "InputContainer", stream: "AudioStream", levels: Levels) -> Iterator["AudioFrame"]:
    """Yield the sound as mono at RATE, with silence put into `levels` where the timestamps leave a gap: a player
    leaves one there too. A new filter where the shape changes midway, as in recordings that were joined."""
    import av

    origin = (container.start_time or 0) / av.time_base
    shape, resampler = None, av.AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in _frames(container, stream):
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape not in (None, found):
            yield from resampler.resample(None)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        shape = found
        gap = (frame.time or 0.0) - origin - levels.samples / RATE if frame.pts is not None else 0.0
        if MIN_GAP < gap <= MAX_GAP:
            levels.skip(int(gap * RATE))
        frame.pts = None  # gaps are ours to fill; the filter would fill or drop by timestamps
        yield from resampler.resample(frame)
    with suppress(av.FFmpegError):
        yield from resampler.resample(None)


def _frames(container: "InputContainer", stream: "AudioStream") -> Iterator["AudioFrame"]:
    """Yield what can be decoded: damaged packets are left out, a broken end ends it."""
    import av

    damaged = 0
    packets = container.demux(stream)
    while damaged <= MAX_DAMAGED:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # cut off or damaged from here on: what was read so far counts
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            damaged += 1


if __name__ == "__main__":
    main()
