"""Who speaks when, with the real open pipeline; and that silence stays silent behind both gates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pyannote.audio.utils.reproducibility import fix_reproducibility

from benchmarks import measures
from gpu_worker.asr import hallucination_filters
from gpu_worker.asr.openai_whisper import OpenAIWhisper
from gpu_worker.diarization import embeddings, pipeline
from gpu_worker.diarization.campplus import CamPlusPlus
from gpu_worker.diarization.diarizer import DiarizationCallbacks, DiarizationUnavailable, SpeakerCounts
from gpu_worker.diarization.pipeline import PyannoteDiarizer
from gpu_worker.engine.transcriber import Report, Transcriber
from gpu_worker.errors import Canceled
from gpu_worker.inputs import audio
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import Transcript, Turn
from gpu_worker.sound import SAMPLE_RATE, Span
from tests.gpu_worker.worker import ROOT

pytestmark = pytest.mark.weights

DEMO = ROOT / "bulktranscribe" / "demo" / "recording.ogg"
Samples = NDArray[np.float32]


def nothing(_value: Any = None) -> None:
    """A callback of a task that is wanted."""


NO_CALLBACKS = DiarizationCallbacks(nothing, nothing, nothing)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    target = tmp_path_factory.mktemp("demo") / "samples.f32"
    audio.decode(DEMO, target, lambda: None)
    return np.fromfile(target, dtype=np.float32)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def diarizer(cache: Path) -> PyannoteDiarizer:
    loaded = PyannoteDiarizer(cache, "", "cpu")
    loaded.load()
    return loaded


@pytest.fixture(scope="module")
def transcriber(diarizer: PyannoteDiarizer, cache: Path) -> Transcriber:
    return Transcriber(OpenAIWhisper(cache), diarizer)


@pytest.fixture
def exact(diarizer: PyannoteDiarizer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PyannoteDiarizer]:
    """As stock computes: no second look, everything in float32."""
    monkeypatch.setattr(diarizer._pipeline, "trunk_dtype", torch.float32)
    monkeypatch.setattr(
        pipeline, "_reassign_isolated_turns", lambda _p, _w, _f, regular, exclusive: (regular, exclusive)
    )
    yield diarizer


def transcribe(transcriber: Transcriber, samples: Samples, **options: Any) -> Transcript:
    report = Report(stage=nothing, listening=nothing, diarizing=nothing, progress=nothing)
    return transcriber.transcribe("tiny.en", Options(**options), samples, report)


def spans(turns: list[Turn]) -> list[tuple[float, float]]:
    return [(turn["start"], turn["end"]) for turn in turns]


@pytest.mark.smoke
def test_the_speakers_of_the_demo_recording_are_told_apart(diarizer: PyannoteDiarizer, demo: Samples) -> None:
    detected: list[list[Span]] = []
    shares: list[float] = []
    freed: list[bool] = []
    callbacks = DiarizationCallbacks(shares.append, detected.append, lambda: freed.append(True))
    found = diarizer.diarize(demo, SpeakerCounts(), callbacks)
    reference = measures.read_rttm(DEMO.with_suffix(".rttm"))
    errors = measures.speaker_errors(reference, found.turns, len(demo) / SAMPLE_RATE)
    assert (errors.found, errors.expected) == (2, 2)
    assert errors.rate <= 0.10
    assert found.turns[0]["speaker"] == "SPEAKER_00"
    exclusive = sorted(spans(found.exclusive_turns))
    assert all(a[1] <= b[0] for a, b in pairwise(exclusive))
    assert found.settings["numSpeakers"] is None
    assert found.settings["parameters"]["clustering"]["threshold"] == 0.6
    assert (len(detected), freed) == (1, [True])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_once_a_chunk_gives_the_turns_of_the_stock_class(exact: PyannoteDiarizer, demo: Samples) -> None:
    stock = pipeline.open_pipeline()
    samples = demo[: 25 * SAMPLE_RATE]
    file = {"waveform": torch.from_numpy(samples.copy())[None], "sample_rate": SAMPLE_RATE}
    expected = stock(file).speaker_diarization
    found = exact.diarize(samples, SpeakerCounts(), NO_CALLBACKS)
    assert type(stock) is not type(exact._pipeline)
    assert spans(found.turns) == [
        (round(turn.start, 3), round(turn.end, 3)) for turn, _ in expected.itertracks()
    ]
    assert len({turn["speaker"] for turn in found.turns}) == len(expected.labels()) == 2


def test_the_folded_trunk_hears_what_the_plain_one_hears(demo: Samples) -> None:
    plain, folded = CamPlusPlus().eval(), CamPlusPlus().eval()
    folded.resnet.fuse()
    chunks = torch.from_numpy(demo[: 30 * SAMPLE_RATE].copy()).reshape(6, 1, -1)  # more than HEAD_BATCH
    with torch.inference_mode():
        expected, found = (model(chunks) for model in (plain, folded))
    assert not [part for part in folded.resnet.net.head.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert torch.nn.functional.cosine_similarity(expected, found).min() > 0.99999


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (SpeakerCounts(exact=1), 1),
        (SpeakerCounts(exact=3), 3),
        (SpeakerCounts(high=1), 1),
        (SpeakerCounts(low=3, high=4), 3),
    ],
)
def test_the_numbers_of_speakers_reach_the_pipeline(
    diarizer: PyannoteDiarizer, demo: Samples, counts: SpeakerCounts, expected: int
) -> None:
    found = diarizer.diarize(demo[: 25 * SAMPLE_RATE], counts, NO_CALLBACKS)
    assert len({turn["speaker"] for turn in found.turns}) == expected
    assert found.settings["numSpeakers"] == counts.exact


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.5, 30.0])
def test_silence_has_no_turns(diarizer: PyannoteDiarizer, seconds: float) -> None:
    detected: list[list[Span]] = []
    silence = np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)
    found = diarizer.diarize(
        silence, SpeakerCounts(), DiarizationCallbacks(nothing, detected.append, nothing)
    )
    assert (found.turns, detected) == ([], [[]])


def test_a_bounded_clustering_still_finds_both(
    diarizer: PyannoteDiarizer, demo: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    clustering = diarizer._pipeline.clustering
    cluster, sizes = clustering.cluster, []

    def counted(chosen: Any, *arguments: Any, **named: Any) -> Any:
        sizes.append(len(chosen))
        return cluster(chosen, *arguments, **named)

    monkeypatch.setattr(clustering, "cluster", counted)
    monkeypatch.setattr(embeddings, "MAX_TRAINING", 30)
    found = diarizer.diarize(demo, SpeakerCounts(), NO_CALLBACKS)
    assert sizes == [30]
    assert len({turn["speaker"] for turn in found.turns}) == 2


def test_a_batch_that_does_not_fit_is_halved(
    diarizer: PyannoteDiarizer, demo: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = diarizer._pipeline
    run, sizes = loaded._run, []

    def small(waveforms: Any, weights: Any = None) -> Any:
        sizes.append(len(waveforms))
        if len(waveforms) > 4:
            raise torch.OutOfMemoryError
        return run(waveforms, weights)

    monkeypatch.setattr(loaded, "_run", small)
    monkeypatch.setattr(loaded, "embedding_batch_size", 16)
    found = diarizer.diarize(demo[: 20 * SAMPLE_RATE], SpeakerCounts(), NO_CALLBACKS)
    assert found.turns
    assert sizes[0] > 4 >= sizes[-1]


def test_a_cancel_is_heard_while_speakers_are_told_apart(diarizer: PyannoteDiarizer, demo: Samples) -> None:
    def stop(_share: float) -> None:
        raise Canceled

    with pytest.raises(Canceled):
        diarizer.diarize(demo, SpeakerCounts(), DiarizationCallbacks(stop, nothing, nothing))
    assert diarizer.diarize(demo[: 5 * SAMPLE_RATE], SpeakerCounts(), NO_CALLBACKS).turns


def test_the_flags_of_whispers_arithmetic_are_left_alone(
    diarizer: PyannoteDiarizer, demo: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyannote turns them off on a GPU only: here it is told that it runs on one."""
    looks = []

    def on_a_gpu(_device: torch.device) -> None:
        fix_reproducibility(torch.device("cuda"))
        looks.append(torch.backends.cuda.matmul.allow_tf32)

    monkeypatch.setattr("pyannote.audio.core.pipeline.fix_reproducibility", on_a_gpu)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = True
    try:
        diarizer.diarize(demo[: 5 * SAMPLE_RATE], SpeakerCounts(), NO_CALLBACKS)
        assert looks == [False]
        assert torch.backends.cuda.matmul.allow_tf32 is True
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def test_a_pipeline_that_cannot_be_had_says_what_to_do(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        DiarizationUnavailable, match="DIARIZATION_PIPELINE is a folder without a pyannote pipeline"
    ):
        PyannoteDiarizer(cache, str(tmp_path), "cpu").load()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DiarizationUnavailable, match="HF_TOKEN"):
        PyannoteDiarizer(cache, "nobody/nothing", "cpu").load()
    if not torch.cuda.is_available():
        with pytest.raises(DiarizationUnavailable, match="set it to auto"):
            PyannoteDiarizer(cache, "", "cuda").load()


# Silence behind both gates ------------------------------------------------------------------------


@pytest.mark.parametrize("diarization_enabled", [False, True], ids=["Silero", "diarizer"])
@pytest.mark.parametrize("noise", [0.0, 0.1], ids=["zeros", "white noise"])
def test_nothing_is_heard_in_a_minute_without_speech(
    transcriber: Transcriber, noise: float, diarization_enabled: bool
) -> None:
    loud = np.random.default_rng(7).standard_normal(60 * SAMPLE_RATE) * noise
    document = transcribe(transcriber, loud.astype(np.float32), diarization_enabled=diarization_enabled)
    assert (document["text"], document["segments"], document["speakers"]) == ("", [], [])


@pytest.mark.parametrize("diarization_enabled", [False, True], ids=["Silero", "diarizer"])
def test_forty_silent_seconds_add_and_take_nothing(
    transcriber: Transcriber, demo: Samples, diarization_enabled: bool
) -> None:
    speech = demo[: 12 * SAMPLE_RATE]
    gap = np.zeros(40 * SAMPLE_RATE, dtype=np.float32)
    alone = transcribe(transcriber, speech)["text"]
    document = transcribe(
        transcriber, np.concatenate([speech, gap, speech]), diarization_enabled=diarization_enabled
    )
    errors = measures.word_errors(f"{alone} {alone}", document["text"])
    assert errors.insertions + errors.deletions <= 1  # at the cut in the middle of a word
    assert errors.wer <= 0.05
    between = [s for s in document["segments"] if s["end"] > 13 and s["start"] < 51]
    assert between == []


def test_flags_reach_the_document_and_remove_nothing(transcriber: Transcriber, demo: Samples) -> None:
    """At a threshold of 0 every segment counts as without speech."""
    speech = demo[: 5 * SAMPLE_RATE]
    document = transcribe(
        transcriber, speech, vad_enabled=False, hallucination_detection=False, no_speech_threshold=0.0
    )
    assert document["segments"]
    assert all("no_speech" in segment.get("flags", []) for segment in document["segments"])
    assert "no_speech" in document["flags"]


def test_rejected_text_is_left_out_and_told(
    transcriber: Transcriber, demo: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thresholds under which any text is bad and nobody speaks, and a ladder of one rung."""
    monkeypatch.setattr(
        hallucination_filters,
        "thresholds_for",
        lambda _options: hallucination_filters.Thresholds(0.1, -100.0, -1.0),
    )
    document = transcribe(transcriber, demo[: 5 * SAMPLE_RATE], vad_enabled=False, temperature=1.0)
    assert (document["text"], document["segments"]) == ("", [])
    assert [notice["code"] for notice in document["warnings"]] == ["TEXT_REJECTED"]


@pytest.mark.smoke
def test_a_cancel_is_heard_inside_a_window(transcriber: Transcriber, demo: Samples) -> None:
    """By the second look: the first is before the window, at the encoder."""
    looks = []

    def stop(_seconds: float) -> None:
        looks.append(time.monotonic())
        if len(looks) > 3:
            raise Canceled

    report = Report(stage=nothing, listening=nothing, diarizing=nothing, progress=stop)
    with pytest.raises(Canceled):
        transcriber.transcribe("tiny.en", Options(vad_enabled=False), demo[: 25 * SAMPLE_RATE], report)
    assert len(looks) == 4, "the window was decoded to its end"
    assert transcribe(transcriber, demo[: 5 * SAMPLE_RATE])["text"], "no hook is left behind"
