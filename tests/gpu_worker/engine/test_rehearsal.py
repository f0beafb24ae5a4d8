"""The rehearsal engine: it takes its time, hears a cancel, and never passes for the real one."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gpu_worker.asr import rehearsal
from gpu_worker.asr.recognizer import Recognition, Recording
from gpu_worker.asr.rehearsal import Rehearsal, RehearsalDiarizer
from gpu_worker.diarization.diarizer import DiarizationCallbacks, SpeakerCounts
from gpu_worker.errors import Canceled
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import parse
from gpu_worker.sound import SAMPLE_RATE, Span
from tests.gpu_worker.controller import Controller
from tests.gpu_worker.worker import Worker

ENGINE = {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": "1000"}


class Clock:
    """Time that passes by sleeping alone."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passing = Clock()
    monkeypatch.setattr(rehearsal, "time", passing)
    return passing


def sound(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


def rehearse(seconds: float, reached: list[float], **more: object) -> Recognition:
    options = more.pop("options", Options())
    recording = Recording(sound(seconds), options, reached.append, reached.append, **more)  # type: ignore[arg-type]
    return Rehearsal(Path()).recognize("large-v3", recording)


def test_it_takes_a_set_time_for_each_second_of_sound(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[float] = []
    rehearse(60, reached)
    assert clock.now == pytest.approx(60 / 20)
    assert len(reached) > 20 and reached[1:] == sorted(reached[1:]) and reached[-1] == 60
    monkeypatch.setenv("WORKER_REHEARSAL_SPEED", "600")
    rehearse(60, reached)
    assert clock.now == pytest.approx(60 / 20 + 60 / 600)


def test_its_words_fill_the_recording_in_order_and_say_what_they_are(clock: Clock) -> None:
    found = rehearse(30, [])
    assert all("rehearsal" in segment["text"] for segment in found.segments[:-1])
    words = [word for segment in found.segments for word in segment["words"]]
    assert words[0]["start"] == 0 and words[-1]["end"] == pytest.approx(30, abs=1)
    assert all(one["end"] <= other["start"] for one, other in pairwise(words))
    assert [notice["code"] for notice in found.warnings] == ["REHEARSAL"]


def test_its_words_keep_to_where_somebody_speaks(clock: Clock) -> None:
    found = rehearse(30, [], speech=[Span(5, 8), Span(20, 20.01), Span(25, 25.5)])
    words = [word for segment in found.segments for word in segment["words"]]
    assert all((word["start"] >= 5 and word["end"] <= 8) or word["start"] >= 25 for word in words)
    assert (words[0]["start"], words[-1]["end"]) == (5, 25.5)
    assert rehearse(30, [], speech=[]).segments == []


def test_words_are_left_out_where_none_are_asked_for(clock: Clock) -> None:
    found = rehearse(5, [], options=Options(word_timestamps=False))
    assert found.segments and not any(segment["words"] for segment in found.segments)


def test_a_recording_without_a_second_is_no_trouble(clock: Clock) -> None:
    assert rehearse(0, []).segments == []
    assert diarize(0, SpeakerCounts())[0] == []


def diarize(seconds: float, counts: SpeakerCounts) -> tuple[list[str], list[object]]:
    """Who speaks in turn, and what was reported."""
    reported: list[object] = []
    callbacks = DiarizationCallbacks(reported.append, reported.append, lambda: reported.append("free"))
    found = RehearsalDiarizer(Path(), "", "cpu").diarize(sound(seconds), counts, callbacks)
    assert found.pipeline == "rehearsal"
    return [turn["speaker"] for turn in found.turns], reported


def test_speakers_take_turns_over_the_whole_recording(clock: Clock) -> None:
    who, reported = diarize(40, SpeakerCounts())
    assert who == ["SPEAKER_00", "SPEAKER_01", "SPEAKER_00", "SPEAKER_01", "SPEAKER_00"]
    assert reported[-3:] == [1.0, [Span(0, 40)], "free"]


@pytest.mark.parametrize(
    ("counts", "speakers"),
    [
        (SpeakerCounts(exact=5), 5),
        (SpeakerCounts(low=3), 3),
        (SpeakerCounts(high=1), 1),
        (SpeakerCounts(low=1, high=9), 2),
    ],
)
def test_there_are_as_many_speakers_as_were_asked_for(
    clock: Clock, counts: SpeakerCounts, speakers: int
) -> None:
    assert len(set(diarize(12, counts)[0])) == speakers


def test_a_cancel_is_heard_on_the_way(clock: Clock) -> None:
    def stop(reached: float) -> None:
        if reached > 0.1:
            raise Canceled

    samples = sound(3600)
    recording = Recording(samples, Options(), lambda _reached: None, stop)
    with pytest.raises(Canceled):
        Rehearsal(Path()).recognize("base", recording)
    callbacks = DiarizationCallbacks(stop, lambda _spans: None, lambda: None)
    with pytest.raises(Canceled):
        RehearsalDiarizer(Path(), "", "cpu").diarize(samples, SpeakerCounts(), callbacks)
    assert clock.now < 20


def test_a_worker_that_rehearses_says_so_in_ping_and_in_every_result(
    tmp_path: Path, controller: Controller
) -> None:
    with Worker(tmp_path, **ENGINE) as worker:
        job = worker.begin(controller.job("a.wav", model="large-v3", diarizationEnabled=False))
        assert worker.reach(job, "complete", "failed")["status"] == "complete"
        ping = worker.get("/v1/ping").json()
    assert (ping["engine"], ping["rehearsal"], ping["gpu"]) == ("rehearsal", True, False)
    assert ping["models"] == ["tiny.en"]  # WORKER_MODEL, whatever it is
    documents = {output.fields["outputType"]: output.fields["file"] for output in controller.outputs}
    document = parse(json.loads(documents["json"]))
    assert (document["engine"], document["modelSource"]) == ("rehearsal", "rehearsal")
    assert [notice["code"] for notice in document["warnings"]] == ["REHEARSAL"]
    assert b"rehearsal" in documents["markdown"]
