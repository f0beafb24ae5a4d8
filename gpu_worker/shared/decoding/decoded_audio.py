"""Decoded audio in one layout and sampling rate: gaps are silence, damaged packets are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gpu_worker.shared.decoding import limits
from gpu_worker.shared.decoding.containers import MICROSECONDS, sound_track
from gpu_worker.shared.decoding.errors import DecodeError, TooLong

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

OUT_OF_BOUNDS = "More than 16 channels, or samples at less than 1 kHz or more than 384 kHz, cannot be read."


class DecodedAudio:
    """Iterate over it for frames of signed 16-bit samples in this layout and rate, and for numbers of silent samples
    between them: a player is silent there too, so that times agree.

    Damaged packets are left out; a broken end ends it. `samples` is how many have been given so far. Raises
    DecodeError; TooLong once more than MAX_SECONDS have been given.
    """

    def __init__(self, container: InputContainer, layout: str, rate: int) -> None:
        self.container, self.track = container, sound_track(container)
        self.layout, self.rate = layout, rate
        self.samples = 0

    @property
    def seconds(self) -> float:
        """How much has been given so far."""
        return self.samples / self.rate

    def __iter__(self) -> Iterator[AudioFrame | int]:
        import av

        try:
            for part in self._parts():
                self.samples += part if isinstance(part, int) else part.samples
                yield part
                if self.samples > limits.MAX_SECONDS * self.rate:
                    raise TooLong
        except av.FFmpegError as failure:
            raise DecodeError(f"The audio track cannot be decoded ({failure.strerror}).") from failure
        if not self.samples:
            raise DecodeError("The audio track is empty (0 seconds) or damaged.")

    def _parts(self) -> Iterator[AudioFrame | int]:
        resample = _Resampler(self.layout, self.rate)
        origin = (self.container.start_time or 0) / MICROSECONDS  # of all tracks, in seconds
        for frame in _frames(self.container, self.track):
            is_known = limits.MIN_RATE <= frame.sample_rate <= limits.MAX_RATE
            if not is_known or frame.layout.nb_channels > limits.MAX_CHANNELS:
                raise DecodeError(OUT_OF_BOUNDS)
            gap = (frame.time or 0.0) - origin - self.seconds if frame.pts is not None else 0.0
            if limits.MIN_GAP_SECONDS < gap <= limits.MAX_GAP_SECONDS:
                yield int(gap * self.rate)
            yield from resample(frame)
        yield from resample(None)


def _frames(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    import av

    damaged = 0  # packets, since the last good one
    packets = container.demux(track)
    while damaged <= limits.MAX_DAMAGED:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # cut off or damaged from here on: what was read so far counts
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
            damaged = 0
        except av.FFmpegError:
            damaged += 1


class _Resampler:
    """Frames of any shape to one; a new filter where theirs changes midway, as in recordings that were joined."""

    def __init__(self, layout: str, rate: int) -> None:
        self._layout, self._rate = layout, rate
        self._shape: tuple[str, str, int] | None = None
        self._filter: AudioResampler | None = None

    def __call__(self, frame: AudioFrame | None) -> Iterator[AudioFrame]:
        """Yield what is ready; None ends the audio and yields the rest."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate) if frame else None
        if self._filter and shape != self._shape:
            yield from self._filter.resample(None)
            self._filter = None
        if frame is None:
            return
        if self._filter is None:
            import av

            self._shape = shape
            # 16-bit: FFmpeg's float mixing adds channels up to 1.4 times full scale.
            self._filter = av.AudioResampler(format="s16", layout=self._layout, rate=self._rate)
        frame.pts = None  # gaps are ours to fill; the filter would fill or drop by timestamps
        yield from self._filter.resample(frame)
