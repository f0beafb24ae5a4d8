"""Range requests, and what a file is served as."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
import waitress
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client

from jobs.media.serving import RangeNotSatisfiable, content_type, file_response, parse_range
from jobs.models import Upload
from tests.served import running


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-3", (0, 3)),
        ("bytes=4-", (4, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-30", (0, 9)),
        ("bytes=5-500", (5, 9)),
        ("bytes=0-1,4-5", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("seconds=1-2", None),
        ("bytes=٣-4", None),
    ],
)
def test_one_range_is_read_and_nonsense_is_ignored(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 10)


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_the_player_gets_the_bytes_it_asks_for(browser: Client, upload_of: Callable[..., Upload]) -> None:
    upload = upload_of("mill.mp3", b"0123456789")
    url = f"/uploads/{upload.pk}/media"
    whole = browser.get(url)
    assert (whole.status_code, body(whole), whole["Accept-Ranges"]) == (200, b"0123456789", "bytes")
    part = browser.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, body(part)) == (206, b"234")
    assert (part["Content-Range"], part["Content-Length"]) == ("bytes 2-4/10", "3")
    old = browser.get(url, headers={"Range": "bytes=2-4", "If-Range": '"another"'})
    assert (old.status_code, body(old)) == (200, b"0123456789")
    same = browser.get(url, headers={"Range": "bytes=2-4", "If-Range": whole["ETag"]})
    assert (same.status_code, body(same)) == (206, b"234")
    beyond = browser.get(url, headers={"Range": "bytes=10-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */10")


def test_a_file_that_calls_itself_html_is_never_served_as_html(
    browser: Client, upload_of: Callable[..., Upload]
) -> None:
    response = browser.get(f"/uploads/{upload_of('page.html', b'<script>').pk}/media")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    body(response)


def test_types_come_from_the_name_and_a_closed_list() -> None:
    assert content_type("A Long Name.MP3") == "audio/mpeg"
    assert content_type("picture.svg") == "application/octet-stream"


def test_a_recording_that_is_gone_from_the_disk_is_a_404(
    browser: Client, upload_of: Callable[..., Upload]
) -> None:
    upload = upload_of()
    upload.path.unlink()
    assert browser.get(f"/uploads/{upload.pk}/media").status_code == 404


class OneFile(WSGIHandler):
    """Serves a file at /media, and a word everywhere else."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        if request.path != "/media":
            return HttpResponse("here")
        return file_response(request, self.path, etag="e", content_type="audio/wav", name="mill.wav")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address of a waitress with 8 threads, as in production; its file has 100 MB and ends with "end"."""
    path = tmp_path / "mill.wav"
    with path.open("wb") as file:
        file.truncate(100_000_000 - 3)
        file.seek(0, 2)
        file.write(b"end")
    server = waitress.create_server(OneFile(path), host="127.0.0.1", port=0, threads=8, map={})
    with running(server) as address:
        yield address


def ask(address: tuple[str, int], *lines: str) -> socket.socket:
    """Send a request's head and leave the answer to the caller."""
    end = socket.socket()
    end.settimeout(30)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end.connect(address)
    end.sendall("\r\n".join((*lines, "Host: 127.0.0.1", "", "")).encode())
    return end


@pytest.mark.parametrize("wanted", ["Accept: */*", "Range: bytes=0-"])
def test_readers_who_stall_keep_nobody_waiting(wanted: str, served: tuple[str, int]) -> None:
    with ExitStack() as stalled:
        for _ in range(8):
            reader = stalled.enter_context(ask(served, "GET /media HTTP/1.1", wanted))
            assert reader.recv(9) == b"HTTP/1.1 "
        assert requests.get("http://{}:{}/".format(*served), timeout=30).text == "here"


def test_a_range_read_over_the_wire_is_exact(served: tuple[str, int]) -> None:
    url = "http://{}:{}/media".format(*served)
    tail = requests.get(url, headers={"Range": "bytes=99999995-"}, timeout=30)
    assert (tail.content, tail.headers["Content-Length"]) == (b"\0\0end", "5")
    middle = requests.get(url, headers={"Range": "bytes=10-20000009"}, timeout=30)
    assert (len(middle.content), middle.headers["Content-Length"]) == (20_000_000, "20000000")


@pytest.mark.parametrize(
    ("wanted", "status", "length"), [("Accept: */*", 200, 100_000_000), ("Range: bytes=1-50000", 206, 50_000)]
)
def test_a_head_gets_the_headers_of_a_get_and_no_body(
    wanted: str, status: int, length: int, served: tuple[str, int]
) -> None:
    with ask(served, "HEAD /media HTTP/1.1", wanted, "Connection: close") as end:
        answer = b"".join(iter(lambda: end.recv(65536), b""))
    head, _, after = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {length}\r\n".encode() in head
    assert after == b""
