"""Decode a media file of unknown origin to 16 kHz mono float32, in a short-lived child process.

The child probes the content against a closed list of containers, can open nothing but the two files it was
handed, and has limits on memory, time and output: a hostile file ends the child, not the worker.
`python -m gpu_worker.inputs.audio SOURCE TARGET PARENT` prints one JSON object: {"samples"} or {"code", "message"}.
"""

from __future__ import annotations

import errno
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gpu_worker.errors import Fault
from gpu_worker.shared.child_process import child_environment, die_with_parent
from gpu_worker.sound import SAMPLE_RATE

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# numpy's BLAS maps memory for every core at its import; on a large box that alone is more than MAX_MEMORY.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
SAMPLE_BYTES = 4  # float32
FULL_SCALE = 32768.0  # of 16-bit samples
# FFmpeg's demuxers for wav mp3 mov/mp4/m4a matroska/webm ogg/opus flac aac asf/wma aiff. Playlists (hls,
# concat, dash, sdp) are not among them: they would read other files of this host.
DEMUXERS = ("wav", "w64", "mp3", "mov", "matroska", "webm", "ogg", "flac", "aac", "asf", "aiff")
PLAYLIST_STARTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<?xml", b"<MPD", b"[playlist]")
OUT_OF_BOUNDS = "More than 16 channels, or samples at less than 1 kHz or more than 384 kHz, cannot be read."
FORMATS = "WAV, MP3, M4A/MP4/MOV, MKV/WebM, OGG/Opus, FLAC, AAC, WMA or AIFF"

MAX_SECONDS = 12 * 3600
MAX_STREAMS = 32
MAX_CHANNELS = 16
MIN_RATE, MAX_RATE = 1000, 384_000  # Hz
MAX_WALL_SECONDS = 1800  # 12 h of audio decode in a few minutes
MAX_MEMORY = 2 * 1024**3  # bytes of address space
LENGTH_SLACK = 60  # seconds beyond MAX_SECONDS at which a packet proves that a file is too long
MAX_GAP_SECONDS = 3600  # a longer jump in the timestamps is damage, not silence
MIN_GAP_SECONDS = 0.1  # shorter ones are rounding
MICROSECONDS = 1_000_000  # FFmpeg's unit for a whole container
LOOK_SECONDS = 0.2  # between two looks at the cancel flag

UNDECODABLE = "INPUT_UNDECODABLE"
TOO_LONG = Fault("INPUT_TOO_LONG", f"The recording is longer than {MAX_SECONDS // 3600} hours.")


def decode(source: Path, target: Path, checkpoint: Callable[[], None]) -> int:
    """Decode `source` into raw samples at `target` and return how many there are.

    `checkpoint` is called a few times a second and may raise to stop. Raises Fault, and OSError
    (ENOSPC) where the disk is full.
    """
    command = [sys.executable, "-m", "gpu_worker.inputs.audio", str(source), str(target), str(os.getpid())]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**ONE_THREAD, **child_environment()},
    ) as child:
        try:
            answer = _wait(child, checkpoint)
        finally:
            child.kill()
    return _outcome(answer)


def _wait(child: subprocess.Popen[bytes], checkpoint: Callable[[], None]) -> bytes:
    deadline = time.monotonic() + MAX_WALL_SECONDS
    while True:
        checkpoint()
        try:
            return child.communicate(timeout=LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                raise Fault(UNDECODABLE, "Decoding this file takes too long; it may be damaged.") from None


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


def main(source: str, target: str, parent: str) -> dict[str, object]:
    """The child: returns what is printed for the parent."""
    die_with_parent(int(parent))
    try:
        _limit_resources()
        with _Media(source) as stream, Path(target).open("wb") as out:
            _open_nothing_more()
            return {"samples": _transfer(stream, out)}
    except Fault as failure:
        return {"code": failure.code, "message": str(failure)}
    except MemoryError:
        return {
            "code": UNDECODABLE,
            "message": "Decoding this file takes more memory than allowed; it may be damaged.",
        }
    except OSError as failure:
        return {"errno": failure.errno or errno.EIO}


class _Media(io.FileIO):
    """The file as FFmpeg sees it: a damaged one sends it to places before the start."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Return the new position, or a negative number where there is no such place."""
        try:
            return super().seek(offset, whence)
        except OSError as failure:
            return -(failure.errno or errno.EINVAL)


def _limit_resources() -> None:
    # Imported before the limits: shared libraries map more address space than they use, and PyAV imports
    # its classes for subtitles at the first file.
    import av.subtitles.codeccontext
    import av.subtitles.stream  # noqa: F401
    import numpy  # noqa: F401

    with suppress(ValueError, OSError):  # macOS has the name without the limit
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_WALL_SECONDS, MAX_WALL_SECONDS))
    largest = (MAX_SECONDS + MAX_GAP_SECONDS) * SAMPLE_RATE * SAMPLE_BYTES
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _open_nothing_more() -> None:
    """From here on the kernel refuses this process every file and every socket but those it has."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _transfer(stream: BinaryIO, out: BinaryIO) -> int:
    import av

    if os.fstat(stream.fileno()).st_size == 0:
        raise Fault(UNDECODABLE, "The file is empty (0 bytes).")
    try:
        with closing(_open(stream)) as container:
            _refuse_if_too_long(container, _sound_track(container))
        stream.seek(0)
        with closing(_open(stream)) as container:
            written = _write(container, out)
    except av.FFmpegError as failure:
        raise Fault(UNDECODABLE, f"The audio track cannot be decoded ({failure.strerror}).") from failure
    if not written:
        raise Fault(UNDECODABLE, "The audio track is empty (0 seconds) or damaged.")
    return written


def _write(container: InputContainer, out: BinaryIO) -> int:
    written = 0
    for samples in _samples(container, _sound_track(container)):
        written += out.write(samples) // SAMPLE_BYTES
        if written > MAX_SECONDS * SAMPLE_RATE:
            raise TOO_LONG
    return written


def _open(stream: BinaryIO) -> InputContainer:
    import av

    # A stream of ours, no protocol at all for anything a container may refer to.
    options = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"}
    try:
        return av.open(stream, mode="r", options=options, metadata_errors="ignore")
    except MemoryError as failure:
        raise Fault(UNDECODABLE, "The file has too many tracks or is damaged.") from failure
    except (av.FFmpegError, ValueError) as failure:
        raise Fault(UNDECODABLE, _why_unreadable(stream)) from failure


def _why_unreadable(stream: BinaryIO) -> str:
    stream.seek(0)
    head = stream.read(4096)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(PLAYLIST_STARTS):
        return "This is a playlist or a document, not a recording. Upload the recording itself."
    if b"\0" not in head:
        return f"This is a text file, not a recording. Upload {FORMATS}."
    if head[4:8] == b"ftyp":
        return "The file is truncated: its index is missing."
    return f"This is not a recording in a supported format ({FORMATS}), or it is damaged."


def _sound_track(container: InputContainer) -> AudioStream:
    if len(container.streams) > MAX_STREAMS:
        raise Fault(UNDECODABLE, f"The file has more than {MAX_STREAMS} tracks.")
    import av

    track = container.streams.best("audio")
    if not isinstance(track, av.AudioStream):
        raise Fault(UNDECODABLE, "The file has no audio track.")
    if track.codec_context is None:
        raise Fault(UNDECODABLE, "The audio track uses an unsupported codec.")
    return track


def _refuse_if_too_long(container: InputContainer, track: AudioStream) -> None:
    """Look for a packet beyond the limit where the header promises one: a header alone may lie, and hours
    of silence fit into a small file. The container is of no use afterwards."""
    import av

    if container.duration is not None and container.duration <= MAX_SECONDS * MICROSECONDS:
        return
    origin = container.start_time or 0
    try:
        container.seek(origin + (MAX_SECONDS + LENGTH_SLACK) * MICROSECONDS)
        packet = next(container.demux(track))
    except (av.FFmpegError, StopIteration):
        return
    if packet.pts is not None and float(packet.pts * packet.time_base) - origin / MICROSECONDS > MAX_SECONDS:
        raise TOO_LONG


def _samples(container: InputContainer, track: AudioStream) -> Iterator[bytes]:
    """Yield raw mono samples in order, with silence where the timestamps leave a gap, so that times
    agree with what a player shows. Damaged packets are skipped; a broken end ends the audio."""
    resample = _Resampler()
    origin = (container.start_time or 0) / MICROSECONDS  # of all tracks, in seconds
    written = 0
    for frame in _frames(container, track):
        if frame.layout.nb_channels > MAX_CHANNELS or not MIN_RATE <= frame.sample_rate <= MAX_RATE:
            raise Fault(UNDECODABLE, OUT_OF_BOUNDS)
        gap = (frame.time or 0.0) - origin - written / SAMPLE_RATE if frame.pts is not None else 0.0
        if MIN_GAP_SECONDS < gap <= MAX_GAP_SECONDS:
            yield bytes(int(gap * SAMPLE_RATE) * SAMPLE_BYTES)
            written += int(gap * SAMPLE_RATE)
        for samples in resample(frame):
            written += len(samples) // SAMPLE_BYTES
            yield samples
    yield from resample(None)


def _frames(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    import av

    packets = container.demux(track)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # cut off or damaged from here on: what was read so far counts
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


class _Resampler:
    """Frames of any shape to mono float32 at SAMPLE_RATE; a new filter where the shape changes midway."""

    def __init__(self) -> None:
        self._shape: tuple[str, str, int] | None = None
        self._filter: AudioResampler | None = None

    def __call__(self, frame: AudioFrame | None) -> Iterator[bytes]:
        """Yield what is ready; None ends the audio and yields the rest."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate) if frame else None
        if self._filter and shape != self._shape:
            yield from _raw(self._filter.resample(None))
            self._filter = None
        if frame is None:
            return
        if self._filter is None:
            import av

            self._shape = shape
            # 16-bit on the way: FFmpeg's float mixing adds channels up to 1.4 times full scale.
            self._filter = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        frame.pts = None  # gaps are ours to fill; the filter would fill or drop by timestamps
        yield from _raw(self._filter.resample(frame))


def _raw(frames: list[AudioFrame]) -> Iterator[bytes]:
    import numpy as np

    for frame in frames:
        yield (frame.to_ndarray()[0].astype(np.float32) / FULL_SCALE).tobytes()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
