"""Pieces on real sockets, as the product serves them: they are read, kept and refused while they arrive."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from typing import Any

import pytest
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client

from bulktranscribe.management.commands.serve import is_piece
from bulktranscribe.runtime import streaming
from bulktranscribe.wsgi import application
from jobs.models import IncomingUpload, Session, Upload
from jobs.uploads import resumable
from tests.contract.installation import wait_for
from tests.jobs.uploads.test_resumable import CONTENT, OCTETS, TUS, begun, offset_of, send, upload_whole
from tests.served import running

Send = Callable[..., socket.socket]
HALF = len(CONTENT) // 2


def over_connections_of_the_test(application: Callable[..., Any]) -> Callable[..., Any]:
    """SQLite in memory locks whole tables; so all threads share one connection, as those of Django's live server do."""
    shared = connections["default"]
    is_shared = isinstance(shared, DatabaseWrapper) and shared.is_in_memory_db()
    if is_shared:
        shared.inc_thread_sharing()

    def call(*arguments: Any) -> Any:
        if is_shared:
            connections["default"] = shared
        try:
            return application(*arguments)
        finally:
            connections.close_all()  # which SQLite in memory does not heed

    return call


@pytest.fixture
def patch(transactional_db: None, browser: Client) -> Iterator[Send]:
    """Begin to send a piece with its first bytes; the rest, and the answer, are the caller's."""
    browser.get("/")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    person = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
    }
    served = over_connections_of_the_test(application)
    server = streaming.create_server(served, is_piece, threads=2, host="127.0.0.1", port=0)
    with running(server) as address:

        def begin(url: str, offset: int, content: bytes, length: int, **headers: str) -> socket.socket:
            told = {"Host": "127.0.0.1", "Upload-Offset": str(offset), "Content-Length": str(length)}
            lines = {**told, **TUS, "Content-Type": OCTETS, **person, **headers}
            end = socket.create_connection(address, timeout=30)
            head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            end.sendall(f"PATCH {url} HTTP/1.1\r\n{head}\r\n".encode() + content)
            return end

        yield begin


def status_on(end: socket.socket) -> int:
    answer = HTTPResponse(end)
    answer.begin()
    answer.read()
    return answer.status


def wait_written(size: int) -> None:
    """Wait until so many bytes of the only file have arrived."""
    path = IncomingUpload.objects.get().path
    wait_for(lambda: path.exists() and path.stat().st_size == size, 30, f"{size} bytes arrive")


def test_who_else_sends_or_deletes_meanwhile_is_423(patch: Send, browser: Client, session: Session) -> None:
    url = begun(browser, session)
    with patch(url, 0, CONTENT[:HALF], len(CONTENT)) as first:
        wait_written(HALF)
        with patch(url, 0, CONTENT, len(CONTENT)) as second:
            assert status_on(second) == 423
        assert browser.delete(url, headers=TUS).status_code == 423
        assert offset_of(browser, url) == 0, "nothing is promised yet"
        assert browser.get(url).json()["incoming"]["isArriving"]
        first.sendall(CONTENT[HALF:])
        assert status_on(first) == 204
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_what_came_of_a_piece_that_broke_off_is_kept(patch: Send, browser: Client, session: Session) -> None:
    url = begun(browser, session)
    with patch(url, 0, CONTENT[:HALF], len(CONTENT)):
        wait_written(HALF)
    assert offset_of(browser, url) == HALF, "asked at once: what has arrived is waited for"
    assert send(browser, url, HALF, CONTENT[HALF:]).status_code == 204
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_nothing_is_kept_of_a_piece_that_cannot_be_checked(
    patch: Send, browser: Client, session: Session
) -> None:
    url = begun(browser, session)
    digest = "sha1 " + "A" * 27 + "="
    with patch(url, 0, CONTENT[:HALF], len(CONTENT), **{"Upload-Checksum": digest}):
        wait_written(HALF)
    assert offset_of(browser, url) == 0


def test_a_long_piece_is_kept_part_by_part(
    patch: Send, browser: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resumable, "PART_BYTES", 1000)
    url = begun(browser, session)
    with patch(url, 0, CONTENT[:HALF], len(CONTENT)) as end:
        wait_written(HALF)
        assert IncomingUpload.objects.get().offset_bytes == HALF // 1000 * 1000, (
            "a killed server loses the rest"
        )
        end.sendall(CONTENT[HALF:])
        assert status_on(end) == 204
    assert Upload.objects.get().sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("headers", [{"Cookie": ""}, {"X-CSRFToken": ""}, {"Content-Type": "text/plain"}])
def test_who_may_not_send_is_told_before_the_piece_is_there(
    patch: Send, browser: Client, session: Session, headers: dict[str, str]
) -> None:
    url = begun(browser, session)
    with patch(url, 0, b"", len(CONTENT), **headers) as end:
        assert status_on(end) in (401, 403, 415)
    assert not IncomingUpload.objects.get().path.exists()


def test_a_whole_file_in_one_piece(patch: Send, browser: Client, session: Session) -> None:
    content = CONTENT * 200  # 2 MB
    url = begun(browser, session, size=len(content))
    with patch(url, 0, content, len(content)) as end:
        assert status_on(end) == 204
    assert Upload.objects.get().path.read_bytes() == content
    assert upload_whole(browser, session, content)["duplicateOf"], "and its digest is known"
