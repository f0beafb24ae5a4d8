"""Generate recording.ogg and recording.rttm from recording.txt: `python3 make_recording.py`.

Needs the programs `flite` and `sox` (Debian packages of those names) and nothing else. The recording
is included in the repository, so this never runs in tests. Run it after changing recording.txt.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
RATE = 16_000  # Hz, what both voices speak at
VOICES = {"ANNA": "slt", "PETER": "rms"}
BETWEEN_SENTENCES = 0.25  # seconds; the pause belongs to the turn
BETWEEN_TURNS = 0.45  # seconds in which nobody speaks
AT_THE_ENDS = 0.5  # seconds before the first and after the last turn
LOUDNESS = 8_000  # the root mean square of each turn, so that neither voice drowns the other
SILENT_BELOW = 200  # of 32,767: what is quieter at the edges of a sentence is cut off


class Turn(NamedTuple):
    speaker: str
    text: str


class Placed(NamedTuple):
    """The position of a turn in the recording, in samples."""

    speaker: str
    start: int
    length: int


def main() -> None:
    samples, placed = speak_all(read_turns(HERE / "recording.txt"))
    write_ogg(samples, HERE / "recording.ogg")
    (HERE / "recording.rttm").write_text("".join(f"{row}\n" for row in rttm_rows(placed)))
    sys.stderr.write(f"{len(samples) / RATE:.1f} s, {len(placed)} turns\n")


def read_turns(path: Path) -> list[Turn]:
    """Parse one turn per line, `SPEAKER: text`."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    return [Turn(*line.split(": ", maxsplit=1)) for line in lines]


def speak_all(turns: list[Turn]) -> tuple[array[int], list[Placed]]:
    """Synthesize the turns; return 16-bit samples and the position of each turn."""
    samples, placed = silence(AT_THE_ENDS), []
    for number, turn in enumerate(turns):
        if number:
            samples += silence(BETWEEN_TURNS)
        spoken = speak(turn)
        placed.append(Placed(turn.speaker, len(samples), len(spoken)))
        samples += spoken
    return samples + silence(AT_THE_ENDS), placed


def speak(turn: Turn) -> array[int]:
    """Synthesize one turn without leading and trailing silence."""
    spoken = array("h")
    for number, sentence in enumerate(sentences(turn.text)):
        if number:
            spoken += silence(BETWEEN_SENTENCES)
        spoken += trimmed(synthesise(sentence, VOICES[turn.speaker]))
    return levelled(spoken)


def sentences(text: str) -> Iterator[str]:
    """Split after `.`, `?` and `!`; the text has no abbreviations."""
    words: list[str] = []
    for word in text.split():
        words.append(word)
        if word[-1] in ".?!":
            yield " ".join(words)
            words = []
    if words:
        yield " ".join(words)


def synthesise(sentence: str, voice: str) -> array[int]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", file.name], check=True)
        with wave.open(file.name) as sound:
            if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (RATE, 1, 2):
                raise SystemExit(f"flite's voice {voice} does not speak in 16 kHz, 16 bit, mono")
            return array("h", sound.readframes(sound.getnframes()))


def trimmed(samples: array[int]) -> array[int]:
    """Remove leading and trailing silence."""
    loud = [i for i, value in enumerate(samples) if abs(value) > SILENT_BELOW]
    return samples[loud[0] : loud[-1] + 1]


def levelled(samples: array[int]) -> array[int]:
    heard = [value for value in samples if abs(value) > SILENT_BELOW]
    loudness = (sum(value * value for value in heard) / len(heard)) ** 0.5
    gain = min(LOUDNESS / loudness, 30_000 / max(abs(value) for value in samples))
    return array("h", (round(value * gain) for value in samples))


def silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * round(seconds * RATE)))


def rttm_rows(placed: list[Placed]) -> Iterator[str]:
    """Format NIST's RTTM, one row per turn: start and length in seconds, then the speaker."""
    for speaker, start, length in placed:
        yield f"SPEAKER recording 1 {start / RATE:.3f} {length / RATE:.3f} <NA> <NA> {speaker} <NA> <NA>"


def write_ogg(samples: array[int], path: Path) -> None:
    """Compress to Ogg Vorbis with sox; `-R` makes the output reproducible."""
    raw = ["-t", "raw", "-r", str(RATE), "-e", "signed-integer", "-b", "16", "-c", "1", "-"]
    subprocess.run(["sox", "-R", *raw, "-C", "4", str(path)], input=samples.tobytes(), check=True)


if __name__ == "__main__":
    main()
