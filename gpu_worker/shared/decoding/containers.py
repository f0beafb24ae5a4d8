"""Opens media files by their content, and selects the audio track that is the recording."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gpu_worker.shared.decoding import limits
from gpu_worker.shared.decoding.errors import DecodeError, NoSoundTrack, TooLong

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# FFmpeg's demuxers for wav mp3 mov/mp4/m4a matroska/webm ogg/opus flac aac asf/wma aiff. Playlists (hls,
# concat, dash, sdp) are not among them: they would read other files of this host.
DEMUXERS = ("wav", "w64", "mp3", "mov", "matroska", "webm", "ogg", "flac", "aac", "asf", "aiff")
PLAYLIST_STARTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<?xml", b"<MPD", b"[playlist]")
FORMATS = "WAV, MP3, M4A/MP4/MOV, MKV/WebM, OGG/Opus, FLAC, AAC, WMA or AIFF"
LENGTH_SLACK = 60  # seconds beyond MAX_SECONDS at which a packet proves that a file is too long
MICROSECONDS = 1_000_000  # FFmpeg's unit for a whole container


class MediaFile(io.FileIO):
    """The file as FFmpeg sees it: a damaged one sends it to places before the start."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Return the new position, or a negative number where there is no such place."""
        try:
            return super().seek(offset, whence)
        except OSError as failure:
            return -(failure.errno or errno.EINVAL)


@contextmanager
def opened(file: MediaFile) -> Iterator[InputContainer]:
    """Open the container from its start, if it is one of those we know. Raises DecodeError."""
    if os.fstat(file.fileno()).st_size == 0:
        raise DecodeError("The file is empty (0 bytes).")
    file.seek(0)
    with _open(file) as container:
        yield container


def sound_track(container: InputContainer) -> AudioStream:
    """Return the track that is transcribed, drawn and played: FFmpeg's best, which is the one marked as the default,
    among several the one with the highest bit rate. Raises DecodeError, NoSoundTrack."""
    import av

    if len(container.streams) > limits.MAX_STREAMS:
        raise DecodeError(f"The file has more than {limits.MAX_STREAMS} tracks.")
    track = container.streams.best("audio")
    if not isinstance(track, av.AudioStream):
        raise NoSoundTrack
    if track.codec_context is None:
        raise DecodeError("The audio track uses an unsupported codec.")
    return track


def refuse_if_too_long(file: MediaFile) -> None:
    """Look for a packet beyond the limit where the header promises one: a header alone may lie, and hours of
    silence fit into a small file. Raises DecodeError, TooLong."""
    import av

    with opened(file) as container:
        track = sound_track(container)
        if container.duration is not None and container.duration <= limits.MAX_SECONDS * MICROSECONDS:
            return
        origin = container.start_time or 0
        try:
            container.seek(origin + (limits.MAX_SECONDS + LENGTH_SLACK) * MICROSECONDS)
            packet = next(container.demux(track))
        except (av.FFmpegError, StopIteration):
            return
        if packet.pts is not None:
            seconds = float(packet.pts * packet.time_base) - origin / MICROSECONDS
            if seconds > limits.MAX_SECONDS:
                raise TooLong


def _open(file: MediaFile) -> InputContainer:
    import av

    # A stream of ours, no protocol at all for anything a container may refer to.
    options = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"}
    try:
        return av.open(file, mode="r", options=options, metadata_errors="ignore")
    except MemoryError as failure:
        raise DecodeError("The file has too many tracks or is damaged.") from failure
    except (av.FFmpegError, ValueError) as failure:
        raise DecodeError(_why_unreadable(file)) from failure


def _why_unreadable(file: MediaFile) -> str:
    file.seek(0)
    head = file.read(4096)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(PLAYLIST_STARTS):
        return "This is a playlist or a document, not a recording. Upload the recording itself."
    if b"\0" not in head:
        return f"This is a text file, not a recording. Upload {FORMATS}."
    if head[4:8] == b"ftyp":
        return "The file is truncated: its index is missing."
    return f"This is not a recording in a supported format ({FORMATS}), or it is damaged."
