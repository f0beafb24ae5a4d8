"""Transcript, waveform and the player's copy come from one decoder: the same track, the same times, the same limits."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gpu_worker.errors import Fault
from gpu_worker.inputs import audio
from gpu_worker.shared.decoding import (
    DecodedAudio,
    Interrupted,
    MediaFile,
    TooLong,
    child,
    limits,
    opened,
)
from gpu_worker.sound import SAMPLE_RATE
from jobs.media import transcode, waveform
from jobs.media.transcode import copy
from jobs.media.waveform import Look, looks
from tests.gpu_worker import hostile
from tests.gpu_worker.sounds import encoded, tone
from tests.gpu_worker.worker import ROOT
from tests.jobs.media.test_waveform import RATE, waves

DEFAULT = av.stream.Disposition.default
LOUD = 0.1  # of full scale


def two_tracks(container: str, codec: str, sounding: int) -> bytes:
    """Two seconds with two audio tracks: a silent one, and one with a tone, which is the default."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        for number in range(2):
            track = target.add_stream(codec, rate=RATE, layout="mono")
            track.disposition = DEFAULT if number == sounding else av.stream.Disposition(0)
        for number, track in enumerate(target.streams.audio):
            samples = waves(2.0) if number == sounding else np.zeros_like(waves(2.0))
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
            resampler = av.AudioResampler(
                track.format.name, "mono", RATE, frame_size=track.frame_size or None
            )
            for part in (*resampler.resample(frame), *resampler.resample(None)):
                target.mux(track.encode(part))
            target.mux(track.encode(None))
    return out.getvalue()


def look(path: Path) -> Look:
    return next(looks([path]))


def samples_of(path: Path) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """What the worker hands to the speech model."""
    target = path.with_suffix(".f32")
    audio.decode(path, target, lambda: None)
    return np.fromfile(target, np.float32)


def copied(path: Path) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """What the player's copy holds."""
    target = path.with_suffix(".webm")
    assert not copy(path, target).problem
    return samples_of(target)


@pytest.mark.parametrize("sounding", [0, 1])
@pytest.mark.parametrize("kind", [("matroska", "pcm_s16le"), ("matroska", "flac"), ("mp4", "aac")])
def test_of_two_audio_tracks_transcript_waveform_and_player_take_the_same(
    kind: tuple[str, str], sounding: int, tmp_path: Path
) -> None:
    path = tmp_path / "meeting"
    path.write_bytes(two_tracks(*kind, sounding))
    found = look(path)
    assert found.track == sounding
    assert np.abs(samples_of(path)).max() > LOUD
    assert max(found.levels) > 255 * LOUD
    assert np.abs(copied(path)).max() > LOUD


# What one side had alone while there were two ------------------------------------------------------


def seconds_of(path: Path) -> tuple[float, float, float]:
    """How much transcript, waveform and copy have of a file, read in this process."""
    target = path.with_suffix(".out")
    with MediaFile(path) as file:
        with target.open("wb") as out:
            transcribed = audio._write(file, out) / SAMPLE_RATE
        drawn = waveform._read(file).seconds
        with target.open("wb+") as out, opened(file) as container:
            transcode._encode(container, out)
    with MediaFile(target) as file, opened(file) as container:
        copied = DecodedAudio(container, "mono", RATE)
        with suppress(TooLong):
            assert sum(1 for _ in copied)
        return transcribed, drawn, copied.seconds


def damaged_between(packets: int) -> bytes:
    """A tenth of a second of sound, so many packets that cannot be decoded, and a tenth at 1 s."""
    sound = bytes(3200)
    return hostile.matroska_of([(0, sound), *[(100, b"\0")] * packets, (1000, sound)])


def test_audio_goes_on_after_damage_and_ends_after_endless_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DAMAGED", 50)
    path = tmp_path / "file"
    path.write_bytes(damaged_between(50))
    assert seconds_of(path) == pytest.approx((1.1, 1.1, 1.1), abs=0.03)
    path.write_bytes(damaged_between(51))
    assert seconds_of(path) == pytest.approx((0.1, 0.1, 0.1), abs=0.03)


def test_half_a_minute_of_damage_takes_nothing_from_anybody(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(damaged_between(1500))
    assert len(samples_of(path)) == pytest.approx(1.1 * SAMPLE_RATE, abs=100)
    assert look(path).seconds == pytest.approx(1.1, abs=0.02)


def test_a_file_that_leads_to_before_its_start_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    content = bytearray(encoded("asf", "wmav2", seconds=0.5))
    content[51] = 0xFF  # of the length of the first object in the header
    path = tmp_path / "file"
    path.write_bytes(content)
    assert len(samples_of(path)) == pytest.approx(0.5 * SAMPLE_RATE, abs=1000)
    assert look(path).seconds == pytest.approx(0.5, abs=0.1)
    assert len(copied(path)) == pytest.approx(0.5 * SAMPLE_RATE, abs=1000)


REFUSED = {
    "24 channels": tone(0.2, rate=8000, channels=24),
    "33 tracks": hostile.matroska(33),
    "0 seconds": tone(0.0),
    "0 bytes": b"",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_the_worker_refuses_is_unreadable_for_the_player_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Fault):
        samples_of(path)
    assert look(path).problem == "unreadable"
    assert copy(path, tmp_path / "copy").problem == "failed"


def test_audio_beyond_the_limit_fails_a_transcript_and_is_cut_from_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SECONDS", 2)
    path = tmp_path / "file"
    path.write_bytes(tone(4))
    with pytest.raises(TooLong):
        seconds_of(path)
    monkeypatch.setattr(audio, "_write", lambda file, out: 2 * SAMPLE_RATE)
    assert seconds_of(path) == pytest.approx((2.0, 2.0, 2.0), abs=0.1)


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give every child another program."""
    popen = subprocess.Popen

    def run(program: str) -> None:
        command = [sys.executable, "-c", program]
        monkeypatch.setattr(subprocess, "Popen", lambda asked, **options: popen(command, **options))

    return run


def ask_all(path: Path) -> list[Callable[[], object]]:
    return [lambda: samples_of(path), lambda: look(path), lambda: copy(path, path.with_suffix(".webm"))]


@pytest.mark.parametrize("side", range(3))
def test_a_stop_of_the_service_says_nothing_about_the_file(
    side: int, instead: Callable[[str], None], tmp_path: Path
) -> None:
    instead("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
    with pytest.raises(Interrupted):
        ask_all(tmp_path / "file")[side]()


def test_a_child_that_takes_for_ever_is_ended_on_either_side(
    instead: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MAX_CHILD_SECONDS", 0.0)
    monkeypatch.setattr(child, "LOOK_SECONDS", 0.001)
    instead("import signal; signal.pause()")
    with pytest.raises(Fault, match="takes too long"):
        samples_of(tmp_path / "file")
    assert look(tmp_path / "file").problem == "timeout"
    assert copy(tmp_path / "file", tmp_path / "copy").problem == "failed"


def test_no_child_knows_a_secret_or_outlives_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret")
    told: list[tuple[list[str], dict[str, str]]] = []

    def note(command: list[str], **options: dict[str, str]) -> None:
        told.append((command, options["env"]))
        raise InterruptedError

    monkeypatch.setattr(subprocess, "Popen", note)
    for ask in ask_all(Path("file")):
        with pytest.raises(InterruptedError):
            ask()
    assert [command[3] for command, _ in told] == [str(os.getpid())] * 3
    assert not any("a secret" in environment.values() for _, environment in told)
    monkeypatch.undo()
    modules = ("gpu_worker.inputs.audio", "jobs.media.waveform", "jobs.media.transcode")
    for module in modules:
        done = subprocess.run([sys.executable, "-m", module, "1", "a", "b"], cwd=ROOT, check=False)
        assert done.returncode == 1, "a child of another parent ends at once"
