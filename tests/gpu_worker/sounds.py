"""Media made on the fly: good, strange and broken."""

from __future__ import annotations

import io
import math
import struct
import wave
from fractions import Fraction

import av

RATE = 16_000


def tone(seconds: float, rate: int = RATE, channels: int = 1) -> bytes:
    """A WAV file with a steady tone."""
    samples = [int(12_000 * math.sin(i * 440 * 2 * math.pi / rate)) for i in range(int(seconds * rate))]
    return wav(b"".join(struct.pack("<h", s) * channels for s in samples), rate, channels)


def silence(seconds: float) -> bytes:
    """A WAV file in which nobody says anything."""
    return wav(bytes(int(seconds * RATE) * 2))


def wav(pcm: bytes, rate: int = RATE, channels: int = 1) -> bytes:
    """Raw 16-bit samples as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()


def encoded(container: str, codec: str, seconds: float = 2.0, start: float = 0.0) -> bytes:
    """A tone in another container; `start` shifts its timestamps against a picture track from 0."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        track = target.add_stream(codec, rate=48_000)
        assert isinstance(track, av.AudioStream)
        track.layout = "mono"
        track.bit_rate = 64_000
        picture = _picture_track(target) if start else None
        if picture:
            target.mux(picture.encode(_picture(0)))
        with av.open(io.BytesIO(tone(seconds, 48_000)), "r") as source:
            resampler = av.AudioResampler(
                track.format.name, "mono", 48_000, frame_size=track.frame_size or None
            )
            for frame in (f for raw in source.decode(audio=0) for f in resampler.resample(raw)):
                frame.pts = (frame.pts or 0) + int(start * 48_000)
                frame.time_base = Fraction(1, 48_000)
                target.mux(track.encode(frame))
        target.mux(track.encode(None))
        if picture:
            target.mux(picture.encode(_picture(1)))
            target.mux(picture.encode(None))
    return out.getvalue()


def mute_video() -> bytes:
    """A video without a sound track."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as target:
        track = _picture_track(target)
        for number in range(5):
            target.mux(track.encode(_picture(number)))
        target.mux(track.encode(None))
    return out.getvalue()


def _picture_track(target: av.container.OutputContainer) -> av.VideoStream:
    track = target.add_stream("mpeg4", rate=25)
    assert isinstance(track, av.VideoStream)
    track.width = track.height = 64
    track.pix_fmt = "yuv420p"
    return track


def _picture(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 64, "yuv420p")
    frame.pts = number
    return frame
