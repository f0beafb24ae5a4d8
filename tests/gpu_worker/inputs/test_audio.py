"""Decoding: good media in every container, and everything that only looks like media."""

from __future__ import annotations

import array
import math
from pathlib import Path

import pytest

from gpu_worker.errors import Fault
from gpu_worker.inputs import audio
from gpu_worker.shared.decoding import MediaFile, TooLong, child, limits
from gpu_worker.sound import SAMPLE_RATE
from tests.gpu_worker.sounds import encoded, mute_video, silence, tone, wav


def decode(tmp_path: Path, content: bytes, name: str = "media") -> array.array[float]:
    """The samples of a file with this content."""
    source, target = tmp_path / name, tmp_path / "samples"
    source.write_bytes(content)
    count = audio.decode(source, target, lambda: None)
    samples = array.array("f", target.read_bytes())
    assert len(samples) == count
    return samples


def refusal(tmp_path: Path, content: bytes, name: str = "media.mp3") -> str:
    """The sentence with which a file is refused as undecodable."""
    with pytest.raises(Fault) as refused:
        decode(tmp_path, content, name)
    assert refused.value.code == "INPUT_UNDECODABLE"
    return str(refused.value)


def loudness(samples: array.array[float]) -> float:
    return math.sqrt(sum(s * s for s in samples) / len(samples))


CONTAINERS = [
    ("wav", "pcm_s16le"),
    ("mp3", "libmp3lame"),
    ("mp4", "aac"),
    ("mov", "pcm_s16le"),
    ("matroska", "flac"),
    ("webm", "libopus"),
    ("ogg", "libopus"),
    ("flac", "flac"),
    ("adts", "aac"),
    ("asf", "wmav2"),
    ("aiff", "pcm_s16be"),
]


@pytest.mark.parametrize(("container", "codec"), CONTAINERS)
def test_every_promised_container_is_read_by_its_content(tmp_path: Path, container: str, codec: str) -> None:
    samples = decode(tmp_path, encoded(container, codec), "named-wrongly.txt")
    assert len(samples) == pytest.approx(2 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    assert loudness(samples) == pytest.approx(0.26, abs=0.03)


def test_channels_and_rates_are_brought_to_one(tmp_path: Path) -> None:
    samples = decode(tmp_path, tone(1.5, rate=44_100, channels=2))
    assert len(samples) == pytest.approx(1.5 * SAMPLE_RATE, abs=20)
    assert max(samples) == pytest.approx(12_000 / 32_768, abs=0.02)


def test_a_sound_track_that_begins_late_keeps_its_times(tmp_path: Path) -> None:
    samples = decode(tmp_path, encoded("matroska", "flac", seconds=1.0, start=2.0))
    assert len(samples) == pytest.approx(3 * SAMPLE_RATE, abs=0.1 * SAMPLE_RATE)
    assert loudness(samples[: int(1.9 * SAMPLE_RATE)]) == 0
    assert loudness(samples[int(2.1 * SAMPLE_RATE) :]) > 0.2


def test_a_file_that_was_cut_off_gives_what_there_is(tmp_path: Path) -> None:
    for container, codec in (("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("ogg", "libopus")):
        whole = encoded(container, codec, seconds=4)
        samples = decode(tmp_path, whole[: len(whole) // 2])
        assert 1.0 < len(samples) / SAMPLE_RATE < 3.0


def test_an_mp4_without_its_index_is_refused_with_the_reason(tmp_path: Path) -> None:
    whole = encoded("mp4", "aac", seconds=4)
    assert "truncated" in refusal(tmp_path, whole[: len(whole) // 2])


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "empty (0 bytes)" in refusal(tmp_path, b"")


def test_a_text_named_mp3_is_refused(tmp_path: Path) -> None:
    assert "text file" in refusal(tmp_path, b"Dear Sir or Madam,\n" * 100)


def test_noise_that_is_no_container_is_refused(tmp_path: Path) -> None:
    assert "not a recording" in refusal(tmp_path, bytes(i * 7919 % 251 for i in range(50_000)))


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    assert "no audio track" in refusal(tmp_path, mute_video())


def test_a_recording_of_zero_seconds_is_refused(tmp_path: Path) -> None:
    assert "0 seconds" in refusal(tmp_path, wav(b""))


def test_silence_is_not_an_error(tmp_path: Path) -> None:
    assert loudness(decode(tmp_path, silence(1))) == 0


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {secret}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?>\n<MPD><Period><BaseURL>{secret}</BaseURL></Period></MPD>\n',
}


@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_refused_and_reads_no_other_file(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(tone(1))
    for prefix in ("", "file:", "subfile,,start,0,end,0,,:"):
        text = PLAYLISTS[kind].format(secret=f"{prefix}{secret}")
        assert "playlist" in refusal(tmp_path, text.encode(), f"list.{kind}")


def test_too_many_channels_are_refused(tmp_path: Path) -> None:
    assert "channels" in refusal(tmp_path, tone(0.2, rate=8000, channels=24))


def test_a_recording_over_twelve_hours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SECONDS", 2)
    source = tmp_path / "long.wav"
    source.write_bytes(tone(3))
    with MediaFile(source) as file, (tmp_path / "out").open("wb") as out, pytest.raises(TooLong) as refused:
        audio._write(file, out)
    assert refused.value.code == "INPUT_TOO_LONG"


def test_a_file_that_takes_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MAX_CHILD_SECONDS", 0.0)
    monkeypatch.setattr(child, "LOOK_SECONDS", 0.001)
    assert "takes too long" in refusal(tmp_path, tone(1))


def test_a_full_disk_is_told_apart_from_a_bad_file(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    source.write_bytes(tone(1))
    with pytest.raises(OSError, match="No space left"):
        audio.decode(source, Path("/dev/full"), lambda: None)


def test_a_canceled_job_ends_its_decoder(tmp_path: Path) -> None:
    source = tmp_path / "a.wav"
    source.write_bytes(tone(1))

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        audio.decode(source, tmp_path / "out", stop)
