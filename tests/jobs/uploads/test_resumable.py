"""Resumable uploads, as tus has them: what is acknowledged is kept, whatever happens in between."""

import base64
import errno
import fcntl
import hashlib
import os
import shutil
from collections import namedtuple
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from bulktranscribe.integrity import storage_audit
from jobs.models import IncomingUpload, Session, Upload
from jobs.models.sessions import SILENT_SECONDS
from jobs.uploads import resumable

CONTENT = bytes(range(256)) * 40
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"
Disk = namedtuple("Disk", "total used free")


def metadata(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items())


def begin(client: Client, session: Session, size: int = len(CONTENT), path: str = "mill.wav") -> Any:
    said = metadata(filename=path.split("/")[-1], relativePath=path)
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": said}
    return client.post(f"/api/sessions/{session.pk}/incoming", headers=headers)


def begun(client: Client, session: Session, **how: Any) -> str:
    """Begin a file and return its address."""
    answer = begin(client, session, **how)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"]).removeprefix("http://testserver")


def send(client: Client, url: str, offset: int, content: bytes, **headers: str) -> Any:
    said = {**TUS, "Upload-Offset": str(offset), **headers}
    return client.patch(url, content, content_type=OCTETS, headers=said)


def offset_of(client: Client, url: str) -> int:
    answer = client.head(url, headers=TUS)
    assert answer.status_code == 200
    return int(answer["Upload-Offset"])


def upload_whole(client: Client, session: Session, content: bytes = CONTENT, path: str = "mill.wav") -> Any:
    url = begun(client, session, size=len(content), path=path)
    assert send(client, url, 0, content).status_code == 204
    return client.get(url).json()["incoming"]


def test_a_file_comes_in_pieces_and_becomes_an_upload(browser: Client, session: Session) -> None:
    url = begun(browser, session, path="tapes/Ленты 🎙/mill.wav")
    answer = send(browser, url, 0, CONTENT[:4000])
    assert (answer.status_code, answer["Upload-Offset"], answer["Tus-Resumable"]) == (204, "4000", "1.0.0")
    assert offset_of(browser, url) == 4000
    assert not Upload.objects.exists()
    answer = send(browser, url, 4000, CONTENT[4000:])
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(CONTENT)))
    upload = Upload.objects.get()
    assert (upload.name, upload.folder) == ("mill.wav", "tapes/Ленты 🎙")
    assert upload.path.read_bytes() == CONTENT
    assert upload.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert browser.get(url).json()["incoming"]["upload"]["id"] == str(upload.pk)
    assert not IncomingUpload.objects.get().path.exists()


def test_what_somebody_sends_just_now_is_told_from_what_is_broken_off(
    browser: Client, session: Session
) -> None:
    def is_arriving() -> bool:
        (coming,) = browser.get(f"/api/sessions/{session.pk}/incoming").json()["incoming"]
        return bool(coming["isArriving"])

    url = begun(browser, session)
    assert not is_arriving(), "nothing of it is here"
    send(browser, url, 0, CONTENT[:10])
    assert is_arriving()
    path = IncomingUpload.objects.get().path
    os.utime(path, (1, path.stat().st_mtime - SILENT_SECONDS))
    assert not is_arriving()
    send(browser, url, 10, CONTENT[10:])
    assert not browser.get(url).json()["incoming"]["isArriving"]


def test_an_answer_that_was_lost_can_be_asked_for_again(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT)
    assert offset_of(browser, url) == len(CONTENT)
    empty = {"Content-Type": OCTETS, "Content-Length": "0"}  # which Django's client leaves out
    assert send(browser, url, len(CONTENT), b"", **empty).status_code == 204
    assert Upload.objects.count() == 1


def test_what_can_be_done_is_told(browser: Client, session: Session) -> None:
    answer = browser.options(f"/api/sessions/{session.pk}/incoming")
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert answer["Tus-Extension"] == "creation,checksum,expiration,termination"
    assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")
    assert answer["Tus-Max-Size"] == "10000000000"


def test_a_file_is_described_as_it_was_begun(browser: Client, session: Session) -> None:
    answer = browser.head(begun(browser, session, path="a/mill.wav"), headers=TUS)
    assert answer["Upload-Length"] == str(len(CONTENT))
    assert answer["Upload-Metadata"] == metadata(filename="mill.wav", relativePath="a/mill.wav")
    assert answer["Cache-Control"] == "no-store"
    assert "GMT" in answer["Upload-Expires"]


def test_a_wrong_offset_is_409_and_changes_nothing(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:100])
    for wrong in (0, 99, 101):
        assert send(browser, url, wrong, CONTENT[:50]).status_code == 409
    assert offset_of(browser, url) == 100


def test_a_damaged_piece_is_460_and_nothing_of_it_is_kept(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:100])
    good = base64.b64encode(hashlib.sha1(CONTENT[100:]).digest()).decode()
    damaged = send(browser, url, 100, b"x" + CONTENT[101:], **{"Upload-Checksum": f"sha1 {good}"})
    assert (damaged.status_code, offset_of(browser, url)) == (460, 100)
    assert send(browser, url, 100, CONTENT[100:], **{"Upload-Checksum": f"sha1 {good}"}).status_code == 204
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("changes", "content_type", "status"),
    [
        ({"Upload-Checksum": "crc32 AAAA"}, OCTETS, 400),
        ({"Upload-Checksum": "sha1 not base64"}, OCTETS, 400),
        ({"Upload-Offset": "-1"}, OCTETS, 400),
        ({"Upload-Offset": "٣"}, OCTETS, 400),
        ({"Tus-Resumable": "0.2.2"}, OCTETS, 412),
        ({}, "application/octet-stream", 415),
    ],
)
def test_what_is_not_the_protocol_is_refused(
    changes: dict[str, str], content_type: str, status: int, browser: Client, session: Session
) -> None:
    url = begun(browser, session)
    headers = {**TUS, "Upload-Offset": "0", **changes}
    answer = browser.patch(url, b"abc", content_type=content_type, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert offset_of(browser, url) == 0


@pytest.mark.parametrize("length", ["", "-5", "many", "1" * 30])
def test_a_length_must_be_a_number(length: str, browser: Client, session: Session) -> None:
    answer = browser.post(f"/api/sessions/{session.pk}/incoming", headers={**TUS, "Upload-Length": length})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_HEADER")


def test_more_than_was_announced_is_413(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    assert send(browser, url, 0, CONTENT + b"x").status_code == 413
    assert offset_of(browser, url) == 0


def test_too_long_empty_and_too_much_are_refused_before_the_first_byte(
    browser: Client, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begin(browser, session, size=settings.MAX_UPLOAD_MB * 1_000_000 + 1).status_code == 413
    assert begin(browser, session, size=0).json()["error"]["code"] == "UPLOAD_EMPTY"
    settings.USER_QUOTA_GB = 0.00002
    begun(browser, session, size=15_000)
    refused = begin(browser, session, size=10_000)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "QUOTA_FULL")
    settings.USER_QUOTA_GB = 0.0
    room = settings.MIN_FREE_DISK_MB * 1_000_000 + 20_000  # of which 15,000 are promised already
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**12, 0, room))
    refused = begin(browser, session, size=10_000)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "DISK_FULL")
    assert begin(browser, session, size=5_000).status_code == 201


def test_a_disk_that_fills_up_in_the_middle_is_507_and_the_offset_stays_true(
    browser: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:1000])
    write = os.write

    def fill_up(file: int, data: Any) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(file, bytes(data)[:10])

    def full(file: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", fill_up)
    assert send(browser, url, 1000, CONTENT[1000:]).status_code == 507
    monkeypatch.undo()
    assert offset_of(browser, url) == 1000
    assert IncomingUpload.objects.get().path.stat().st_size == 1000
    assert send(browser, url, 1000, CONTENT[1000:]).status_code == 204
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_second_writer_is_423(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:10])
    with IncomingUpload.objects.get().path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert send(browser, url, 10, CONTENT[10:]).status_code == 423
        assert browser.delete(url, headers=TUS).status_code == 423
    assert send(browser, url, 10, CONTENT[10:]).status_code == 204


def test_what_a_killed_server_wrote_without_saying_so_is_sent_again(
    browser: Client, session: Session
) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:1000])
    with IncomingUpload.objects.get().path.open("ab") as file:
        file.write(b"half of a piece")
    resumable._digests = resumable.Digests()  # as after a restart
    assert offset_of(browser, url) == 1000
    assert send(browser, url, 1000, CONTENT[1000:]).status_code == 204
    upload = Upload.objects.get()
    assert (upload.path.read_bytes(), upload.sha256) == (CONTENT, hashlib.sha256(CONTENT).hexdigest())


def test_what_the_disk_has_lost_is_sent_again(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:1000])
    os.truncate(IncomingUpload.objects.get().path, 300)
    assert send(browser, url, 1000, CONTENT[1000:]).status_code == 409
    assert offset_of(browser, url) == 300
    send(browser, url, 300, CONTENT[300:])
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_what_is_given_up_is_gone(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:10])
    path = IncomingUpload.objects.get().path
    assert browser.delete(url, headers=TUS).status_code == 204
    assert (path.exists(), browser.head(url, headers=TUS).status_code) == (False, 404)


def test_what_was_not_finished_in_time_is_410_and_leaves_the_disk(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:10])
    IncomingUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (browser.head(url, headers=TUS), send(browser, url, 10, CONTENT[10:])):
        assert answer.status_code == 410
    assert resumable.sweep() == 1
    assert not IncomingUpload.objects.get().path.exists()
    assert browser.head(url, headers=TUS).status_code == 410
    IncomingUpload.objects.update(expires_at=timezone.now() - timedelta(days=8))
    resumable.sweep()
    assert browser.head(url, headers=TUS).status_code == 404


def test_the_sweep_leaves_files_on_their_way_alone(
    browser: Client, session: Session, settings: Settings
) -> None:
    settings.ORPHAN_SECONDS = 0.0
    url = begun(browser, session)
    send(browser, url, 0, CONTENT[:10])
    nobodys = IncomingUpload.objects.get().path.with_name("nobodys")
    nobodys.write_bytes(b"left by a killed process")
    os.utime(nobodys, (1, 1))
    storage_audit.sweep()
    assert (nobodys.exists(), offset_of(browser, url)) == (False, 10)
    assert send(browser, url, 10, CONTENT[10:]).status_code == 204


def test_a_duplicate_is_named_and_kept_only_on_demand(browser: Client, session: Session) -> None:
    first = upload_whole(browser, session)["upload"]
    again = upload_whole(browser, session, path="copies/mill (1).wav")
    assert (again["upload"], again["duplicateOf"]["id"]) == (None, first["id"])
    assert Upload.objects.count() == 1
    kept = browser.post(f"/api/incoming/{again['id']}/keep").json()["incoming"]["upload"]
    assert (kept["name"], kept["folder"]) == ("mill (1).wav", "copies")
    paths = [upload.path.stat().st_ino for upload in Upload.objects.all()]
    assert len(paths) == 2 and len(set(paths)) == 1, "stored once"
    assert browser.post(f"/api/incoming/{again['id']}/keep").status_code == 409


def test_the_same_bytes_in_another_session_are_stored_once(
    browser: Client, session: Session, person: User
) -> None:
    upload_whole(browser, session)
    upload_whole(browser, Session.objects.create(owner=person, name="Another"))
    assert len({upload.path.stat().st_ino for upload in Upload.objects.all()}) == 1


def test_what_is_unfinished_is_listed(browser: Client, session: Session) -> None:
    url = begun(browser, session, path="a/mill.wav")
    send(browser, url, 0, CONTENT[:10])
    upload_whole(browser, session, content=b"another")
    (one,) = browser.get(f"/api/sessions/{session.pk}/incoming").json()["incoming"]
    assert (one["name"], one["folder"], one["offsetBytes"]) == ("mill.wav", "a", 10)


def test_a_file_that_arrived_is_not_unfinished_again_once_it_is_deleted_for_good(
    browser: Client, session: Session
) -> None:
    arrived = upload_whole(browser, session)["upload"]
    upload_whole(browser, session, path="copies/mill (1).wav")
    browser.delete(f"/api/uploads/{arrived['id']}")
    browser.post(f"/api/sessions/{session.pk}/trash/empty")
    assert not Upload.objects.exists()
    assert browser.get(f"/api/sessions/{session.pk}/incoming").json() == {"incoming": []}


def test_a_stranger_finds_nothing(browser: Client, session: Session, stranger: User) -> None:
    url = begun(browser, session)
    other = Client()
    other.force_login(stranger)
    assert begin(other, session).status_code == 404
    assert other.get(f"/api/sessions/{session.pk}/incoming").status_code == 404
    assert send(other, url, 0, CONTENT).status_code == 404
    for method in (other.head, other.delete, other.get):
        assert method(url, headers=TUS).status_code == 404
    assert Client().head(url, headers=TUS).status_code == 401


def test_a_page_of_another_site_cannot_begin_an_upload(person: User, session: Session) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert begin(client, session).status_code == 403


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("../../etc/passwd", "etc"),
        ("/absolute/mill.wav", "absolute"),
        ("C:\\tapes\\mill.wav", "C:/tapes"),
        ("a/./b/\x00c/mill.wav", "a/b/c"),
        ("mill.wav", ""),
    ],
)
def test_folders_are_kept_as_text_and_lead_nowhere(
    path: str, folder: str, browser: Client, session: Session
) -> None:
    assert upload_whole(browser, session, path=path)["upload"]["folder"] == folder


def test_a_method_may_be_named_in_a_header(browser: Client, session: Session) -> None:
    url = begun(browser, session)
    headers = {**TUS, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert browser.post(url, CONTENT, content_type=OCTETS, headers=headers).status_code == 204
    assert Upload.objects.count() == 1
