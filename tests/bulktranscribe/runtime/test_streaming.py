"""Bodies that are read while they arrive, on real sockets: what waitress by itself would not do."""

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from bulktranscribe.runtime import streaming
from tests.served import running

Address = tuple[str, int]
KIB = 1024
STILL = 0.5  # who is not let go on can be told by nothing else; a slow machine is not taken for broken


class Reader:
    """Reads what is sent to /piece, refuses /refused without a look at it, and answers a word to all else."""

    def __init__(self) -> None:
        self.read: queue.Queue[bytes] = queue.Queue()
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        told = {"/refused": ("403 Forbidden", b"no"), "/piece": ("200 OK", b"read")}
        status, text = told.get(environ["PATH_INFO"], ("200 OK", b"here"))
        if text == b"read":
            text = str(self.take(environ["wsgi.input"], int(environ["CONTENT_LENGTH"]))).encode()
        start(status, [("Content-Length", str(len(text)))])
        return [text]

    def take(self, body: Any, length: int) -> int:
        """Return how many bytes came."""
        done = 0
        while done < length and self.goes_on.wait(10) and (some := body.read(min(64 * KIB, length - done))):
            done += len(some)
            self.read.put(some)
        self.read.put(b"")
        return done

    def bytes_read(self, at_least: int) -> bytes:
        """Wait until so much has been read."""
        data = b""
        while len(data) < at_least:
            data += self.read.get(timeout=30)
        return data


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setattr(
        streaming, "SILENT_SECONDS", 120.0
    )  # longer than any test waits for what must come before
    return Reader()


@pytest.fixture
def address(reader: Reader) -> Iterator[Address]:
    server = streaming.create_server(
        reader, lambda method, _path: method == "PATCH", threads=2, host="127.0.0.1", port=0
    )
    with running(server) as where:
        yield where


def begin(address: Address, length: int, *lines: str, path: str = "/piece") -> socket.socket:
    """Send the head of a piece, and nothing of it."""
    end = socket.create_connection(address, timeout=30)
    head = (f"PATCH {path} HTTP/1.1", "Host: here", f"Content-Length: {length}", *lines, "", "")
    end.sendall("\r\n".join(head).encode())
    return end


def answer_on(end: socket.socket) -> tuple[int, bytes]:
    answer = HTTPResponse(end)
    answer.begin()
    return answer.status, answer.read()


def page(address: Address) -> tuple[int, bytes]:
    with closing(HTTPConnection(*address, timeout=30)) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_body_is_read_before_all_of_it_is_there(address: Address, reader: Reader) -> None:
    with begin(address, 10) as end:
        end.sendall(b"first")
        assert reader.bytes_read(5) == b"first"
        end.sendall(b"later")
        assert reader.bytes_read(5) == b"later"
        assert answer_on(end) == (200, b"10")


def test_what_came_before_a_break_is_read(address: Address, reader: Reader) -> None:
    with begin(address, 10) as end:
        end.sendall(b"first")
        assert reader.bytes_read(5) == b"first"
    assert reader.read.get(timeout=30) == b"", "and then nothing more"


def test_a_sender_who_falls_silent_is_not_waited_for(
    address: Address, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SILENT_SECONDS", 0.2)
    with begin(address, 10) as end:
        end.sendall(b"first")
        assert answer_on(end) == (200, b"5")


def test_a_refusal_comes_before_the_body_and_the_connection_goes_on(address: Address) -> None:
    with begin(address, 500 * KIB, path="/refused") as end:
        assert answer_on(end) == (403, b"no")
        end.sendall(b"x" * 500 * KIB + b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert answer_on(end) == (200, b"here"), "the body was let go, all of it and no more"


def test_whoever_closes_after_a_refusal_can_send_all_and_read_it(address: Address) -> None:
    with begin(address, 3000 * KIB, "Connection: close", path="/refused") as end:
        for _ in range(3000):
            end.sendall(b"x" * KIB)
        assert answer_on(end) == (403, b"no")
        assert end.recv(1) == b""


def test_several_pieces_come_over_one_connection(address: Address) -> None:
    with closing(HTTPConnection(*address, timeout=30)) as connection:
        for size in (1, 300 * KIB, 0, 17):
            connection.request("PATCH", "/piece", b"x" * size)
            assert connection.getresponse().read() == str(size).encode()


def test_a_sender_who_asks_whether_to_go_on_is_told_so(address: Address) -> None:
    with begin(address, 4, "Expect: 100-continue") as end:
        assert end.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        end.sendall(b"data")
        assert answer_on(end) == (200, b"4")


def test_no_more_is_taken_than_is_read(address: Address, reader: Reader) -> None:
    reader.goes_on.clear()
    size = 64 << 20
    sent = 0
    with begin(address, size) as end:
        end.settimeout(STILL)
        with pytest.raises(TimeoutError):
            while sent < size:
                sent += end.send(b"x" * 64 * KIB)
        assert sent < 24 << 20, "what the sockets hold, and a little"
        reader.goes_on.set()
        end.settimeout(30)
        while sent < size:
            sent += end.send(b"x" * min(64 * KIB, size - sent))
        assert answer_on(end) == (200, str(size).encode())


def test_slow_senders_keep_nobody_from_a_page_nor_from_sending(address: Address, reader: Reader) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(begin(address, 10)) for _ in range(streaming.STREAMS)]
        for end in slow:
            end.sendall(b"first")
        assert page(address) == (200, b"here")
        one_more = stack.enter_context(begin(address, 10))
        one_more.sendall(b"0123456789")
        assert answer_on(one_more) == (200, b"10"), "collected first"
        for end in slow:
            end.sendall(b"later")
            assert answer_on(end) == (200, b"10")
        again = stack.enter_context(begin(address, 10))
        reader.read = queue.Queue()
        again.sendall(b"first")
        assert reader.bytes_read(5) == b"first", "a place is free again"
        again.sendall(b"later")
        assert answer_on(again) == (200, b"10")


def test_what_has_arrived_is_read_when_the_server_ends(reader: Reader) -> None:
    server = streaming.create_server(reader, lambda *_: True, threads=1, host="127.0.0.1", port=0)
    with running(server) as where, begin(where, 10) as end:
        end.sendall(b"first")
        assert reader.bytes_read(5) == b"first"
        server.task_dispatcher.shutdown()
        assert reader.read.get(timeout=30) == b""
