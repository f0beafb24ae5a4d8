"""Recordings as people bring them: with gaps, joined, cut off, damaged; and files made to do harm."""

import io
import resource
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from gpu_worker.shared.decoding import limits
from jobs.media.waveform import MAX_LEVELS, Look, looks
from tests.gpu_worker import hostile
from tests.gpu_worker.sounds import encoded

RATE = 16_000
PER_SECOND = 20


def look(path: Path) -> Look:
    return next(looks([path]))


def waves(seconds: float, channels: int = 1) -> "np.ndarray[tuple[int, int], np.dtype[np.int16]]":
    tone = (np.sin(np.arange(int(seconds * RATE)) / 5) * 20_000).astype(np.int16)
    return np.stack([tone] * channels)


def recorded(container: str, codec: str, pieces: dict[float, float], channels: int = 1) -> bytes:
    """A tone that sounds from each start for so many seconds; the timestamps leave out what is between."""
    layout, out = {1: "mono", 2: "stereo"}[channels], io.BytesIO()
    with av.open(out, "w", format=container) as target:
        track = target.add_stream(codec, rate=RATE)
        assert isinstance(track, av.AudioStream)
        track.layout = layout
        form = track.format.name
        for start, seconds in pieces.items():
            samples = waves(seconds, channels)
            for at in range(0, samples.shape[1], 1152):
                some: np.ndarray[Any, Any] = samples[:, at : at + 1152]
                if form == "s32p":  # what the MP3 encoder asks for
                    some = some.astype(np.int32) << 16
                frame = av.AudioFrame.from_ndarray(some, form, layout)
                frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
                frame.pts = int(start * RATE) + at
                target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return out.getvalue()


def levels_of(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    found = look(path)
    assert not found.problem
    assert len(found.levels) == pytest.approx(found.seconds * PER_SECOND, abs=1)
    return found.levels


def test_a_gap_in_the_timestamps_is_silence_as_in_the_player(tmp_path: Path) -> None:
    content = recorded("matroska", "pcm_s16le", {0.0: 2.0, 10.0: 2.0})
    levels = levels_of(tmp_path / "file", content)
    assert len(levels) == pytest.approx(12 * PER_SECOND, abs=2)
    assert min(levels[5:35]) > 100
    assert max(levels[45:195]) == 0
    assert min(levels[205:235]) > 100


def test_sound_that_begins_after_the_picture_begins_there(tmp_path: Path) -> None:
    levels = levels_of(tmp_path / "file", encoded("mp4", "aac", 2.0, start=3.0))
    assert max(levels[5:50]) == 0
    assert min(levels[65:95]) > 20


def test_a_recording_joined_of_two_kinds_is_read_to_its_end(tmp_path: Path) -> None:
    stereo = recorded("mp3", "libmp3lame", {0.0: 3.0}, channels=2)
    mono = recorded("mp3", "libmp3lame", {0.0: 3.0})
    levels = levels_of(tmp_path / "file", stereo + mono)
    assert len(levels) == pytest.approx(6 * PER_SECOND, abs=4)
    assert min(levels[70:110]) > 100


@pytest.mark.parametrize("kind", [("flac", "flac"), ("mp3", "libmp3lame"), ("wav", "pcm_s16le")])
def test_of_a_recording_that_was_cut_off_all_that_is_there_is_shown(
    kind: tuple[str, str], tmp_path: Path
) -> None:
    whole = recorded(*kind, {0.0: 30.0})
    levels = levels_of(tmp_path / "file", whole[: len(whole) // 2])
    assert len(levels) == pytest.approx(15 * PER_SECOND, abs=PER_SECOND)
    assert min(levels[:200]) > 100


def test_damage_in_the_middle_leaves_both_ends_in_their_places(tmp_path: Path) -> None:
    content = bytearray(recorded("matroska", "flac", {0.0: 30.0}))
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\x55" * 2000
    levels = levels_of(tmp_path / "file", bytes(content))
    assert len(levels) == pytest.approx(30 * PER_SECOND, abs=2)
    assert min(levels[5:200]) > 100 and min(levels[-200:-5]) > 100


def time_of_children() -> float:
    """How long processors have worked for the children that have ended, in seconds: other work does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


HOSTILE = {
    "13 h of silence": lambda: hostile.flac_of_silence(13 * 3600),
    "65535 channels": lambda: hostile.wav_with_header(bytes(32_000), channels=65_535),
    "4 GHz": lambda: hostile.wav_with_header(bytes(32_000), rate=4_000_000_000),
    "1 Hz": lambda: hostile.wav_with_header(bytes(10_000), rate=1),
    "0 Hz": lambda: hostile.wav_with_header(bytes(32_000), rate=0),
    "10,000 tracks": lambda: hostile.matroska(10_000),
    "200 MB in a packed block": lambda: hostile.matroska(1, bytes(2 * 10**8)),
    "2,147,483,647 samples": lambda: hostile.mp4([hostile.mp4_track(samples=2**31 - 1)], bytes(32_000)),
    "played again and again": lambda: hostile.mp4(
        [hostile.mp4_track(samples=8000, edits=hostile.edit_list(2000))], bytes(16_000)
    ),
    "an hour between any two packets": lambda: recorded(
        "matroska", "pcm_s16le", {at * 3500.0: 0.1 for at in range(500)}
    ),
}


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(made, id=name, marks=[pytest.mark.slow] * (" h " in name))
        for name, made in HOSTILE.items()
    ],
)
def test_a_file_made_to_do_harm_takes_neither_time_nor_room(
    made: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(made())
    began = time_of_children()
    found = look(path)
    assert time_of_children() - began < 120
    assert found.seconds <= limits.MAX_SECONDS + 1.1 * 3600
    assert len(found.levels) <= MAX_LEVELS


def test_a_file_that_names_another_one_brings_nothing_of_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(b"\xff\x7f" * 8000)
    reference = hostile.alias_to(str(secret))
    path = tmp_path / "file.mov"
    path.write_bytes(hostile.mp4([hostile.mp4_track(samples=8000, reference=reference)], bytes(16_000)))
    assert max(look(path).levels, default=0) == 0
