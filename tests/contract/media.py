"""Recordings that the contract tests send: the project's own, longer, silent, broken."""

import io
from pathlib import Path

import av
import numpy as np

DEMO = Path(__file__).resolve().parent.parent.parent / "bulktranscribe" / "demo"
RATE = 16_000


def demo() -> bytes:
    return (DEMO / "recording.ogg").read_bytes()


def demo_text() -> str:
    lines = (DEMO / "recording.txt").read_text().splitlines()
    return " ".join(line.partition(":")[2].strip() for line in lines if ":" in line)


def demo_texts() -> dict[str, str]:
    """What each speaker says, by name."""
    texts: dict[str, str] = {}
    for line in (DEMO / "recording.txt").read_text().splitlines():
        who, _, said = line.partition(":")
        texts[who] = f"{texts.get(who, '')} {said.strip()}"
    return texts


def demo_repeated(times: int) -> bytes:
    """The demo recording several times in a row, as a WAV."""
    with av.open(io.BytesIO(demo())) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return wav(np.tile(samples, times))


def wav(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]") -> bytes:
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def video_without_sound() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return buffer.getvalue()
