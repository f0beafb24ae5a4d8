"""The whole pipeline beside stock whisper + stock pyannote: same weights, same audio, same run.

`python -m benchmarks.pipeline [RECORDING …] [--repeats 3] [--write]`. A recording is a media file with an
.rttm beside it, and a .json (a list of speaker and text) or .txt (lines `SPEAKER: text`); without any,
the project's own demo recording is measured. Runs are interleaved; medians count. `--write` puts the
table into benchmarks/results.md. It judges nothing.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import measures
from gpu_worker.asr import weights
from gpu_worker.asr.openai_whisper import OpenAIWhisper
from gpu_worker.diarization import attribution, pipeline
from gpu_worker.diarization.diarizer import Diarization
from gpu_worker.engine.transcriber import Report, Transcriber
from gpu_worker.inputs import audio
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Segment, Turn, Word
from gpu_worker.sound import SAMPLE_RATE

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "bulktranscribe" / "demo" / "recording.ogg"
RESULTS = ROOT / "benchmarks" / "results.md"
CACHE = Path(os.environ.get("WORKER_CACHE_DIR", "~/.cache/bulk-transcribe")).expanduser()

Found = tuple[list[Segment], list[Turn]]


@dataclass(frozen=True)
class Material:
    """One recording and what is known about it. `texts` are by speaker."""

    name: str
    samples: NDArray[np.float32]
    turns: list[Turn]
    text: str
    texts: dict[str, str]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE


@dataclass
class Measured:
    """One way through one recording: wall seconds of each run, and the errors of the last."""

    name: str
    seconds: list[float] = field(default_factory=list)
    found: Found = field(default_factory=lambda: ([], []))


class Ours:
    """The worker's own engine, as its engine process runs it."""

    def __init__(self, model: str) -> None:
        self.model = model
        diarizer = pipeline.PyannoteDiarizer(CACHE, "", "auto")
        self.transcriber = Transcriber(OpenAIWhisper(CACHE), diarizer)
        self.transcriber.recognizer.load(model)
        diarizer.load()

    def __call__(self, samples: NDArray[np.float32]) -> Found:
        options = Options(model=self.model, diarization_enabled=True)
        document = self.transcriber.transcribe(self.model, options, samples, _silent())
        return document["segments"], document["turns"]


class Stock:
    """whisper.transcribe on the whole file, pyannote's stock class, each word to the turn that covers most."""

    def __init__(self, model: str) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.whisper = weights.load(model, CACHE, device).whisper  # as it comes: nothing of ours in it
        self.pipeline = pipeline.open_pipeline()

    def __call__(self, samples: NDArray[np.float32]) -> Found:
        import whisper

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = whisper.transcribe(
                self.whisper,
                np.array(samples),
                word_timestamps=True,
                fp16=self.whisper.device.type == "cuda",
            )
            waveform = torch.from_numpy(np.array(samples))[None]
            diarized: Any = self.pipeline({"waveform": waveform, "sample_rate": SAMPLE_RATE})
        turns = [
            Turn(start=t.start, end=t.end, speaker=who)
            for t, _, who in diarized.speaker_diarization.itertracks(yield_label=True)
        ]
        return [_by_overlap(row, turns) for row in result["segments"]], turns


def main() -> None:
    arguments = parse_arguments()
    ours = Ours(arguments.model)
    ways: dict[str, Callable[[NDArray[np.float32]], Found]] = {"ours": ours}
    if not arguments.skip_stock:
        ways["stock"] = Stock(arguments.model)
    lines: list[str] = []
    for path in arguments.recordings or [DEMO]:
        material = read(path)
        runs = {name: Measured(name) for name in ways}
        for _ in range(arguments.repeats):
            for name, way in ways.items():
                measure(runs[name], way, material)
        lines += table(material, [*runs.values()])
        print("\n".join(lines[-len(runs) - 3 :]), flush=True)
    if arguments.write:
        write(lines, arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--skip-stock", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def read(path: Path) -> Material:
    """Decode a recording and read what was said in it."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "samples.f32"
        audio.decode(path, target, lambda: None)
        samples = np.fromfile(target, dtype=np.float32)
    texts: dict[str, list[str]] = {}
    described = path.with_suffix(".json")
    if described.exists():
        rows = [(row["speaker"], row["text"]) for row in json.loads(described.read_text("utf-8"))]
    else:
        text = path.with_suffix(".txt").read_text("utf-8")
        rows = [(who, said) for who, _, said in (line.partition(":") for line in text.splitlines()) if said]
    for who, said in rows:
        texts.setdefault(who, []).append(said)
    by_speaker = {who: " ".join(said) for who, said in texts.items()}
    turns = measures.read_rttm(path.with_suffix(".rttm"))
    return Material(path.name, samples, turns, " ".join(said for _, said in rows), by_speaker)


def measure(run: Measured, way: Callable[[NDArray[np.float32]], Found], material: Material) -> None:
    started = time.perf_counter()
    run.found = way(material.samples)
    run.seconds.append(time.perf_counter() - started)


def table(material: Material, runs: Sequence[Measured]) -> list[str]:
    lines = [
        f"### {material.name} ({material.duration:.0f} s)",
        "",
        "| way | seconds (median; all) | × real time | WER (sub/del/ins) | cpWER | the same, reference turns | "
        "DER (miss/false/confused) | speakers |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return [*lines, *(row(material, run) for run in runs), ""]


def row(material: Material, run: Measured) -> str:
    segments, turns = run.found
    seconds = statistics.median(run.seconds)
    every = ", ".join(f"{s:.1f}" for s in run.seconds)
    said = " ".join(word["word"] for segment in segments for word in segment["words"])
    words = measures.word_errors(material.text, said)
    ideal = attribution.attribute(segments, Diarization(material.turns, material.turns, "reference"))
    who = measures.speaker_errors(material.turns, turns, material.duration)
    cells = [
        run.name,
        f"{seconds:.1f} ({every})",
        f"{material.duration / seconds:.2f}",
        f"{words.wer:.2%} ({words.substitutions}/{words.deletions}/{words.insertions})",
        f"{measures.cp_wer(material.texts, measures.by_speaker(segments)):.2%}",
        f"{measures.cp_wer(material.texts, measures.by_speaker(ideal)):.2%}",
        f"{who.rate:.2%} ({who.missed:.2%}/{who.false_alarm:.2%}/{who.confusion:.2%})",
        f"{who.found} of {who.expected}",
    ]
    return "| " + " | ".join(cells) + " |"


def write(lines: Sequence[str], arguments: argparse.Namespace) -> None:
    head = [
        "# Results",
        "",
        "Written by `python -m benchmarks.pipeline … --write`: the worker's engine (`ours`) beside "
        "`whisper.transcribe` and pyannote's stock class (`stock`) with the same weights, interleaved.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"GPU: {torch.cuda.get_device_name() if torch.cuda.is_available() else 'none'}; model "
        f"`{arguments.model}`, {arguments.repeats} runs each, load of the machine at the end "
        f"{os.getloadavg()[0]:.1f}.",
        "",
    ]
    RESULTS.write_text("\n".join([*head, *lines]), encoding="utf-8")


def _by_overlap(row: dict[str, Any], turns: Sequence[Turn]) -> Segment:
    words = []
    for found in row["words"]:
        word = Word(
            word=found["word"],
            start=float(found["start"]),
            end=float(found["end"]),
            probability=float(found["probability"]),
        )
        shares = {t["speaker"]: 0.0 for t in turns}
        for turn in turns:
            shared = min(turn["end"], word["end"]) - max(turn["start"], word["start"])
            shares[turn["speaker"]] += max(0.0, shared)
        speaker = max(shares, key=lambda who: shares[who], default="")
        if speaker and shares[speaker] > 0:
            word["speaker"] = speaker
        words.append(word)
    return Segment(id=row["id"], start=row["start"], end=row["end"], text=row["text"], words=words)


def _silent() -> Report:
    def nothing(_reached: Any) -> None:
        return

    return Report(stage=nothing, listening=nothing, diarizing=nothing, progress=nothing)


if __name__ == "__main__":
    main()
