"""Duration and levels of a recording, computed in a sandboxed child process.

`python -m jobs.media.waveform PARENT SOURCE…` prints a line of JSON for each.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_worker.shared.decoding import (
    DecodedAudio,
    DecodeError,
    MediaFile,
    NoSoundTrack,
    OutOfTime,
    TooLong,
    ask_child,
    child_arguments,
    limit_process,
    open_nothing_more,
    opened,
)

if TYPE_CHECKING:
    from av.container import InputContainer

MAX_LEVELS = 8192  # of a recording, however long: more than the pixels of a screen
RATE = 4000  # Hz: enough to detect speech
BIN = RATE // 20  # samples of a level at first: a twentieth of a second
AUDIBLE = 33  # of 32768, -60 dB: nobody's voice is below, and the noise of a muted microphone is


@dataclass(frozen=True)
class Look:
    """The analysis: seconds, codec, container, channels, sampling rate in Hz, and `levels`, at most MAX_LEVELS of
    0 … 255; `audible` is how many seconds are louder than AUDIBLE, `track` the index of the audio track, from 0.

    `problem` is "unreadable", "no_sound", or "timeout"; then the rest is empty.
    """

    seconds: float = 0.0
    codec: str = ""
    container: str = ""
    channels: int = 0
    rate: int = 0
    levels: bytes = b""
    audible: float = 0.0
    track: int = 0
    problem: str = ""


def looks(paths: list[Path]) -> Iterator[Look]:
    """Yield the analysis of each of these recordings, all of one user. Raises Interrupted, but nothing for bad files.

    One child process reads them in sequence; if a file crashes it, another continues with the rest.
    """
    while paths:
        found, problem = _ask(paths)
        yield from found
        paths = paths[len(found) :]
        if paths:
            yield Look(problem=problem)
            paths = paths[1:]


def _ask(paths: list[Path]) -> tuple[list[Look], str]:
    """Return what a child process found, and why it ended early, if it did."""
    problem = "unreadable"  # ended by a limit, or by a fault of a decoder
    try:
        told = ask_child("jobs.media.waveform", *map(str, paths))
    except OutOfTime as late:
        told, problem = late.answer, "timeout"
    found = []
    with suppress(ValueError):  # half a line
        for line in told.splitlines():
            one = json.loads(line)
            found.append(Look(**{**one, "levels": base64.b64decode(one["levels"])}))
    return found, problem


class Levels:
    """The peak of each of at most MAX_LEVELS equal parts, for audio of unknown length."""

    def __init__(self) -> None:
        self.bin = BIN
        self.done = bytearray()
        self.samples = 0
        self.audible = 0  # samples in parts that can be heard
        self._loudest, self._left = 0, BIN

    def add(self, samples: memoryview) -> None:
        """Add signed 16-bit samples."""
        self.samples += len(samples)
        while samples:
            some, samples = samples[: self._left], samples[self._left :]
            self._loudest = max(self._loudest, max(some), -min(some))
            self._left -= len(some)
            if not self._left:
                self._close()

    def skip(self, samples: int) -> None:
        """Add silence."""
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
        if self._loudest >= AUDIBLE:
            self.audible += self.bin - self._left
        if len(self.done) == MAX_LEVELS:  # too fine: each two become one
            self.done = bytearray(map(max, self.done[::2], self.done[1::2]))
            self.bin *= 2
        self._loudest, self._left = 0, self.bin


def main(*paths: str) -> None:
    """Run the child process."""
    os.nice(10)
    limit_process()
    with ExitStack() as stack:
        files = [_opened(stack, path) for path in paths]
        open_nothing_more()
        for file in files:
            found = asdict(_read(file) if file else Look(problem="unreadable"))
            line = json.dumps({**found, "levels": base64.b64encode(found["levels"]).decode()})
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()  # what is found is told, whatever the next file does


def _opened(stack: ExitStack, path: str) -> MediaFile | None:
    try:
        return stack.enter_context(MediaFile(path))
    except OSError:  # it went away meanwhile
        return None


def _read(file: MediaFile) -> Look:
    try:
        with opened(file) as container:
            return _listen(container)
    except NoSoundTrack:
        return Look(problem="no_sound")
    except (DecodeError, OSError, ValueError, MemoryError):
        return Look(problem="unreadable")


def _listen(container: "InputContainer") -> Look:
    audio, levels = DecodedAudio(container, "mono", RATE), Levels()
    with suppress(TooLong):  # no worker takes it, but its beginning can be seen and heard
        for part in audio:
            if isinstance(part, int):
                levels.skip(part)
            else:
                levels.add(memoryview(part.planes[0]).cast("B")[: 2 * part.samples].cast("h"))
    codec = audio.track.codec_context
    return Look(
        seconds=audio.seconds,
        codec=codec.codec.canonical_name,
        container=container.format.name,
        channels=codec.channels,
        rate=codec.sample_rate,
        levels=levels.all(),
        audible=levels.audible / RATE,
        track=container.streams.audio.index(audio.track),
    )


if __name__ == "__main__":
    main(*child_arguments())
