"""What a recording sounds like is found once, by a child that a hostile file cannot turn against the controller."""

import math
import struct
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.media import audio_analysis, waveform
from jobs.media.waveform import MAX_LEVELS, Levels, Look, looks
from jobs.models import Session, Sound, Upload
from jobs.tasks import look_at_uploads

RECORDING = Path(__file__).resolve().parents[3] / "bulktranscribe" / "demo" / "recording.ogg"


def tone(*loudness: float, rate: int = 8000) -> bytes:
    """A WAV file with a second at each loudness, 0 … 1."""
    target = BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        for level in loudness:
            samples = (int(32767 * level * math.sin(at / 3)) for at in range(rate))
            sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return target.getvalue()


def test_loud_and_quiet_parts_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(tone(0.0, 0.9, 0.2))
    found = next(looks([path]))
    assert (found.problem, found.codec, found.channels, found.rate) == ("", "pcm_s16le", 1, 8000)
    assert found.seconds == pytest.approx(3.0, abs=0.05)
    quiet, loud, low = (found.levels[at : at + 14] for at in (3, 23, 43))
    assert max(quiet) <= 2
    assert min(loud) > 150
    assert 20 < min(low) <= max(low) < 90


def test_the_demo_recording_is_read(tmp_path: Path) -> None:
    found = next(looks([RECORDING]))
    assert (found.codec, found.channels) == ("vorbis", 1)
    assert found.seconds == pytest.approx(49.7, abs=0.1)
    assert len(found.levels) == pytest.approx(20 * found.seconds, abs=2)


@pytest.mark.parametrize("count", [1, 199, 200, 200 * MAX_LEVELS, 200 * MAX_LEVELS + 1, 777_777_7])
def test_levels_stay_few_and_cover_the_whole(count: int) -> None:
    levels = Levels()
    block = memoryview(struct.pack("<h", -32768) * 40_000).cast("h")
    for start in range(0, count, 40_000):
        levels.add(block[: min(40_000, count - start)])
    found = levels.all()
    assert 0 < len(found) <= MAX_LEVELS
    assert set(found) == {255}
    assert (len(found) - 1) * levels.bin < count <= len(found) * levels.bin


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"This is a text.", "unreadable"),
        (b"#EXTM3U\n/etc/passwd\n", "unreadable"),
        (b"", "unreadable"),
        (tone(0.5)[:60] + b"\xff" * 9, "unreadable"),
    ],
)
def test_what_is_no_recording_is_named_and_harms_nobody(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    found = next(looks([path]))
    assert found.problem in (problem, "")
    assert found.seconds < 0.1


def test_each_upload_is_looked_at_once(
    upload_of: Callable[..., Upload], browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = upload_of(content=tone(0.5)), upload_of("bad.wav", b"not a recording")
    url = f"/uploads/{good.pk}/levels"
    assert browser.get(url).status_code == 202
    look_at_uploads()
    answer = browser.get(url)
    assert (answer.status_code, len(answer.content)) == (200, 20)
    assert "immutable" in answer["Cache-Control"]
    assert browser.get(f"/uploads/{bad.pk}/levels").status_code == 204
    assert Sound.objects.get(upload=bad).problem == "unreadable"
    monkeypatch.setattr(audio_analysis, "looks", lambda paths: pytest.fail("looked at again"))
    assert audio_analysis.look_at_new() == 0


def test_a_look_that_a_stop_of_the_controller_broke_off_is_taken_again(
    upload_of: Callable[..., Upload], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_of(content=tone(0.5))
    popen = subprocess.Popen
    ended = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"]
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: popen(ended, **options))
    assert audio_analysis.look_at_new() == 0, "the whole group of processes is told to end"
    monkeypatch.undo()
    assert audio_analysis.look_at_new() == 1
    assert Sound.objects.get(upload=upload).problem == ""


def test_small_files_are_looked_at_together_and_one_that_ends_the_child_harms_no_other(
    upload_of: Callable[..., Upload], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [upload_of(f"{number}.wav", tone(0.1 * number)) for number in range(1, 6)]
    made[2].path.unlink()  # which went away since
    children: list[list[str]] = []
    ask = waveform.ask_child

    def dying(module: str, *paths: str) -> bytes:
        children.append(list(paths))
        fatal = str(made[1].path)
        if fatal not in paths:
            return ask(module, *paths)
        return ask(module, *paths[: paths.index(fatal)]) + b'{"seconds": 1'

    monkeypatch.setattr(waveform, "ask_child", dying)
    assert audio_analysis.look_at_new() == 5
    problems = {sound.upload.name: sound.problem for sound in Sound.objects.all()}
    assert problems == {"1.wav": "", "2.wav": "unreadable", "3.wav": "unreadable", "4.wav": "", "5.wav": ""}
    assert [len(paths) for paths in children] == [5, 1], "the newest first: the rest after the second is one"


def test_an_upload_that_goes_away_meanwhile_is_left_out(
    upload_of: Callable[..., Upload], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_of(content=tone(0.5))

    def and_gone(paths: list[Path]) -> Iterator[Look]:
        yield from looks(paths)
        Upload.objects.all().delete()

    monkeypatch.setattr(audio_analysis, "looks", lambda paths: iter(list(and_gone(paths))))
    assert audio_analysis.look_at_new() == 1
    assert not Sound.objects.exists()


def test_levels_are_their_owners(upload_of: Callable[..., Upload], stranger: User, session: Session) -> None:
    client = Client()
    client.force_login(stranger)
    assert client.get(f"/uploads/{upload_of().pk}/levels").status_code == 404
