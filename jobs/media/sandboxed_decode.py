"""The audio of a file, read in a short-lived child process.

The child opens nothing but the files it was handed, knows a closed list of containers, and has limits on memory and
time: a hostile file ends the child, not the controller.
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# FFmpeg's demuxers for what may be uploaded; playlists, which would open other files, are not among them.
DEMUXERS = "wav,w64,mp3,mov,matroska,webm,ogg,flac,aac,asf,aiff"
MAX_BYTES = 2 * 1024**3  # of the child's memory
MAX_SECONDS = 900  # of its time; 12 h of sound take three minutes
STOPPED = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)  # a stop of the controller reaches its children
MAX_DAMAGED = 1000  # packets
MAX_HOURS = 12  # of sound; workers take no longer recordings
MAX_GAP = 3600.0  # seconds; a longer jump in the timestamps is damage, not silence
MIN_GAP = 0.1  # seconds; shorter ones are rounding


class Interrupted(Exception):
    """The controller is being stopped, and the child with it: this says nothing about the file."""


def ask_child(module: str, *arguments: str) -> bytes:
    """Run `python -m module arguments` and return what it printed, which may be nothing.

    Raises Interrupted, subprocess.TimeoutExpired.
    """
    root = Path(__file__).resolve().parent.parent.parent
    child = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=MAX_SECONDS,
        check=False,
    )
    if child.returncode in STOPPED:
        raise Interrupted
    return child.stdout


def limit_child(written: int = 0) -> None:
    """Limit this process for good; it may write files of at most so many bytes."""
    os.nice(10)
    # Imported before the limits: PyAV imports its classes for subtitles at the first file.
    import av.subtitles.codeccontext
    import av.subtitles.stream  # noqa: F401

    with suppress(ValueError, OSError):  # macOS has the name without the limit
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def opened(file: BinaryIO) -> Iterator["InputContainer"]:
    """Open a container; from here on the kernel refuses this process every file and socket but those it has.

    Raises OSError, ValueError, MemoryError, av.FFmpegError.
    """
    import av  # only the child needs it

    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    # A file of ours, and no protocol at all for anything that it may refer to.
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}
    with av.open(file, "r", options=options, metadata_errors="ignore") as container:
        yield container


class Heard:
    """The sound of a stream in one shape: iterate over it for frames, and for seconds of silence between them.

    Timestamps that leave a gap stand for silence: a player leaves one there too. `seconds` is how much has been
    heard so far.
    """

    def __init__(self, container: "InputContainer", stream: "AudioStream", layout: str, rate: int) -> None:
        self.container, self.stream, self.layout, self.rate = container, stream, layout, rate
        self.samples = 0

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    def __iter__(self) -> Iterator["AudioFrame | int"]:
        """Yield frames of signed 16-bit samples, and numbers of silent samples; a new filter where the shape changes
        midway, as in recordings that were joined. Ends after MAX_HOURS."""
        import av

        origin = (self.container.start_time or 0) / av.time_base
        shape, resampler = None, self._resampler()
        for frame in _frames(self.container, self.stream):
            found = (frame.format.name, frame.layout.name, frame.sample_rate)
            if shape not in (None, found):
                yield from self._shaped(resampler, None)
                resampler = self._resampler()
            shape = found
            gap = (frame.time or 0.0) - origin - self.seconds if frame.pts is not None else 0.0
            if MIN_GAP < gap <= MAX_GAP:
                self.samples += int(gap * self.rate)
                yield int(gap * self.rate)
            frame.pts = None  # gaps are ours to fill; the filter would fill or drop by timestamps
            yield from self._shaped(resampler, frame)
            if self.seconds > MAX_HOURS * 3600:
                return
        with suppress(av.FFmpegError):
            yield from self._shaped(resampler, None)

    def _resampler(self) -> "AudioResampler":
        import av

        return av.AudioResampler(format="s16", layout=self.layout, rate=self.rate)

    def _shaped(self, resampler: "AudioResampler", frame: "AudioFrame | None") -> Iterator["AudioFrame"]:
        for shaped in resampler.resample(frame):
            self.samples += shaped.samples
            yield shaped


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
