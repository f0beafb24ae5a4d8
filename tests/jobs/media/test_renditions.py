"""What browsers cannot play gets a copy that they can, once; it lives and goes with its upload."""

import errno
import io
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

import av
import pytest
from django.contrib.auth.models import User
from django.test import Client

from bulktranscribe.integrity import storage_audit
from gpu_worker.shared.decoding import Interrupted
from jobs import storage
from jobs.media import audio_analysis, renditions
from jobs.media.transcode import Copy
from jobs.models import PlayableCopy, Upload
from jobs.tasks import make_playable_copies
from tests.gpu_worker.sounds import encoded
from tests.jobs.media.test_audio_analysis import tone
from tests.jobs.media.test_one_decoder import two_tracks
from tests.jobs.media.test_waveform import look, recorded

Uploads = Callable[..., Upload]
OLD = {
    "wma": ("asf", "wmav2"),
    "alaw": ("wav", "pcm_alaw"),
    "ac3": ("matroska", "ac3"),
    "alac": ("mov", "alac"),
}


@pytest.fixture
def alaw(upload_of: Uploads) -> Upload:
    """An A-law file that has been looked at."""
    upload = upload_of("call.wav", encoded("wav", "pcm_alaw", 2.0))
    audio_analysis.look_at_new()
    return upload


def played(client: Client, upload: Upload, **headers: str) -> tuple[str, bytes]:
    """What the player is given: its type and its bytes."""
    with closing(client.get(f"/uploads/{upload.pk}/media", headers=headers)) as answer:
        return answer["Content-Type"], b"".join(answer.streaming_content)


def sound_of(content: bytes) -> tuple[float, str]:
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.audio[0]
        seconds = sum(frame.samples / frame.sample_rate for frame in container.decode(stream))
        return seconds, stream.codec_context.codec.canonical_name


@pytest.mark.parametrize(
    ("container", "codec", "plays"),
    [
        ("wav", "pcm_s16le", True),
        ("wav", "pcm_s24le", True),
        ("wav", "pcm_alaw", False),
        ("mov,mp4,m4a,3gp,3g2,mj2", "aac", True),
        ("mov,mp4,m4a,3gp,3g2,mj2", "amr_nb", False),
        ("mov,mp4,m4a,3gp,3g2,mj2", "ac3", False),
        ("matroska,webm", "opus", True),
        ("matroska,webm", "aac", False),
        ("asf", "wmav2", False),
        ("aiff", "pcm_s16be", False),
        ("", "vorbis", True),
        ("", "wmav2", False),
    ],
)
def test_what_browsers_play_is_known(container: str, codec: str, plays: bool) -> None:
    assert renditions.plays_everywhere(container, codec) is plays


@pytest.mark.parametrize("kind", OLD)
def test_the_player_is_given_a_copy_of_what_browsers_cannot_play(
    kind: str, upload_of: Uploads, browser: Client
) -> None:
    original = encoded(*OLD[kind], 2.0)
    upload = upload_of(f"call.{kind}", original)
    audio_analysis.look_at_new()
    make_playable_copies()
    kind, content = played(browser, upload)
    assert kind == "audio/webm"
    seconds, codec = sound_of(content)
    assert codec == "opus"
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert played(browser, upload, Range="bytes=10-19") == (kind, content[10:20])
    assert upload.path.read_bytes() == original, "the worker is given what was uploaded"


def test_times_in_the_copy_are_those_of_the_recording(upload_of: Uploads, browser: Client) -> None:
    upload = upload_of("gap.mkv", recorded("matroska", "pcm_s16le", {0.0: 2.0, 10.0: 2.0}))
    audio_analysis.look_at_new()
    renditions.make_missing()
    levels = look(PlayableCopy.objects.get(upload=upload).path).levels
    assert len(levels) == pytest.approx(12 * 20, abs=4)
    assert min(levels[5:35]) > 100
    assert max(levels[50:190]) <= 2
    assert min(levels[210:230]) > 100


def test_what_browsers_play_is_left_alone(upload_of: Uploads, browser: Client) -> None:
    upload = upload_of("mill.wav", encoded("wav", "pcm_s16le", 1.0))
    upload_of("text.wma", b"This is a text.")
    audio_analysis.look_at_new()
    assert renditions.make_missing() == 0
    assert played(browser, upload)[0] == "audio/wav"


def test_a_copy_is_made_once_and_known_to_the_audit(alaw: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    assert renditions.make_missing() == 1
    copied = PlayableCopy.objects.get().path
    found = storage_audit.look(verify=True)
    assert copied not in (*found.orphans, *found.damaged)
    monkeypatch.setattr(renditions, "copy", lambda *paths: pytest.fail("made again"))
    assert renditions.make_missing() == 0
    copied.write_bytes(b"damaged")
    assert storage_audit.look().damaged == [copied]


def test_a_copy_goes_with_its_upload(alaw: Upload, settings: Any) -> None:
    settings.ORPHAN_SECONDS = -1.0
    renditions.make_missing()
    copied = PlayableCopy.objects.get().path
    storage_audit.sweep()
    assert copied.exists()
    Upload.objects.all().delete()
    storage_audit.sweep()
    assert not copied.exists()
    assert not PlayableCopy.objects.exists()


def test_a_copy_that_cannot_be_made_is_tried_once(alaw: Upload, browser: Client) -> None:
    alaw.path.write_bytes(b"damaged since")
    assert renditions.make_missing() == 0
    assert PlayableCopy.objects.get().size_bytes == 0
    assert played(browser, alaw)[0] == "audio/wav"
    assert renditions._next() is None


@pytest.mark.parametrize("where", ["in the child", "in its place"])
def test_a_full_disk_leaves_nothing_and_the_copy_is_made_later(
    where: str, alaw: Upload, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "in the child":
        monkeypatch.setattr(renditions, "copy", lambda *paths: Copy(problem="disk_full"))
    else:
        monkeypatch.setattr(storage, "keep", full)
    assert renditions.make_missing() == 0
    assert not PlayableCopy.objects.exists()
    assert not PlayableCopy(upload=alaw).path.exists()
    assert not list(settings.TEMP_DIR.glob("playable-*"))
    monkeypatch.undo()
    assert renditions.make_missing() == 1


def test_a_stop_of_the_controller_says_nothing_about_the_file(
    alaw: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*paths: object) -> None:
        raise Interrupted

    monkeypatch.setattr(renditions, "copy", stopped)
    assert renditions.make_missing() == 0
    monkeypatch.undo()
    assert renditions.make_missing() == 1


def test_a_copy_is_its_owners(alaw: Upload, stranger: User) -> None:
    renditions.make_missing()
    client = Client()
    client.force_login(stranger)
    assert client.get(f"/uploads/{alaw.pk}/media").status_code == 404


def test_the_state_of_a_session_tells_what_its_uploads_are(upload_of: Uploads, browser: Client) -> None:
    made = {
        "loud.wav": tone(0.5),
        "quiet.wav": tone(0.0, 0.004, 0.0),
        "silent.wav": tone(0.0, 0.0),
        "hiss.wav": tone(0.0005),
        "text.mp3": b"This is a text.",
    }
    uploads = [upload_of(name, content) for name, content in made.items()]
    address = f"/api/sessions/{uploads[0].session_id}/state"
    assert {upload["sound"] for upload in browser.get(address).json()["uploads"]} == {None}
    audio_analysis.look_at_new()
    found = {upload["name"]: upload["sound"] for upload in browser.get(address).json()["uploads"]}
    assert found["loud.wav"] == {
        "seconds": 1.0,
        "codec": "pcm_s16le",
        "channels": 1,
        "problem": "",
        "isSilent": False,
        "text": "",
    }
    silent = {name for name, sound in found.items() if sound["isSilent"]}
    assert silent == {"silent.wav", "hiss.wav"}
    assert found["silent.wav"]["text"] == "This recording is silent."
    assert found["text.mp3"]["problem"] == "unreadable"
    assert found["text.mp3"]["text"] == "This file is not a readable recording."
    ids = {upload.name: str(upload.pk) for upload in uploads}
    asked = browser.get(address.replace("state", "sounds"), {"ids": ",".join(ids.values())}).json()
    assert asked["sounds"] == {ids[name]: sound for name, sound in found.items()}
    assert browser.get(address.replace("state", "sounds"), {"ids": "1"}).status_code == 400
    assert "levels" not in json.dumps(found)


@pytest.mark.parametrize(("sounding", "copies"), [(0, 0), (1, 1)])
def test_a_copy_is_made_where_browsers_would_play_another_track(
    sounding: int, copies: int, upload_of: Uploads, browser: Client
) -> None:
    upload = upload_of("meeting.mp4", two_tracks("mp4", "aac", sounding))
    audio_analysis.look_at_new()
    assert renditions.make_missing() == copies
    assert played(browser, upload)[0] == ("audio/webm" if copies else "video/mp4")
