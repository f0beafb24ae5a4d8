"""The two POSTs: tried again while it makes sense, and the token for the controller alone."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gpu_worker.outputs.transport import growing_waits
from gpu_worker.outputs.writeback import Output, Writeback
from gpu_worker.shared.protocol import CompleteMessage, parse_job_request
from gpu_worker.timeouts import LONGEST_WAIT
from tests.gpu_worker.controller import TOKEN, Controller, redirect

MESSAGE = CompleteMessage(
    workerJobId="w1", controllerJobId="job-1", status="complete", outputs=[], error=None, attempt=1
)


class Sender:
    """A write-back whose waits are counted instead of waited."""

    def __init__(self, controller: Controller) -> None:
        self.waits: list[float] = []
        request = parse_job_request(controller.job("a.wav"))
        self.writeback = Writeback("w1", request, [TOKEN], self.waits.append)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "refused"),
        (409, "gone"),
        (410, "gone"),
        (422, "refused"),
        (201, "refused"),
        (204, "refused"),
    ],
)
def test_an_answer_that_will_not_change_ends_it(controller: Controller, status: int, verdict: str) -> None:
    controller.interfere = lambda _request: status
    sender = Sender(controller)
    assert sender.writeback.send_complete(MESSAGE) == verdict
    assert sender.waits == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 524])
def test_an_answer_that_may_change_is_waited_for(controller: Controller, status: int) -> None:
    left = [status] * 4
    controller.interfere = lambda _request: left.pop() if left else None
    sender = Sender(controller)
    assert sender.writeback.send_complete(MESSAGE) == "accepted"
    assert len(sender.waits) == 4
    assert sender.waits[3] > sender.waits[0]


def test_a_404_page_of_a_proxy_is_not_the_controllers_word(controller: Controller) -> None:
    pages = [b"<html>tunnel not found</html>"]

    def proxy(request: BaseHTTPRequestHandler) -> int | None:
        if not pages:
            return None
        page = pages.pop()
        request.send_response(404)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(page)))
        request.end_headers()
        request.wfile.write(page)
        return -1

    controller.interfere = proxy
    assert Sender(controller).writeback.send_complete(MESSAGE) == "accepted"


def test_a_controller_that_is_away_is_tried_for_half_an_hour(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(controller)
    controller.close()
    monkeypatch.setattr(time, "monotonic", lambda: sum(sender.waits))
    assert sender.writeback.send_complete(MESSAGE) == "unreachable"
    assert 30 * 60 <= sum(sender.waits) < 40 * 60
    controller.reopen(0)


def test_waits_grow_to_a_minute_and_differ_by_chance() -> None:
    waits, others = growing_waits(), growing_waits()
    first = [next(waits) for _ in range(20)]
    assert all(LONGEST_WAIT / 2 <= wait <= LONGEST_WAIT for wait in first[7:])
    assert first[0] <= 1
    assert first != [next(others) for _ in range(20)]


def test_the_controller_may_name_the_wait(controller: Controller) -> None:
    asked = [True]

    def busy(request: BaseHTTPRequestHandler) -> int | None:
        if not asked:
            return None
        asked.pop()
        request.send_response(429)
        request.send_header("Retry-After", "17")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return -1

    controller.interfere = busy
    sender = Sender(controller)
    assert sender.writeback.send_complete(MESSAGE) == "accepted"
    assert sender.waits == [17.0]


def test_the_token_does_not_follow_a_redirect(controller: Controller) -> None:
    with Controller() as stranger:
        controller.interfere = redirect(307, stranger.url)
        assert Sender(controller).writeback.send_complete(MESSAGE) == "refused"
        assert stranger.completes == []


def test_environment_proxies_and_netrc_do_not_get_the_token(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert Sender(controller).writeback.send_complete(MESSAGE) == "accepted"
    assert controller.completes[0].authorization == f"Bearer {TOKEN}"


def test_a_document_travels_byte_for_byte(controller: Controller, tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    path.write_bytes('{"text": "Grüße"}\r\n--not-a-boundary--'.encode())
    output = Output("in/1 ü", "json", "in_1__.json", path)
    assert Sender(controller).writeback.send_output(output) == "accepted"
    fields = controller.outputs[0].fields
    assert fields["file"] == path.read_bytes()
    assert (fields["inputId"], fields["outputType"], fields["workerJobId"]) == ("in/1 ü", "json", "w1")
    assert fields["attempt"] == "1", "whose it is where the controller never heard the worker's id"


def test_a_job_without_an_attempt_says_none(controller: Controller, tmp_path: Path) -> None:
    (tmp_path / "0.json").write_bytes(b"{}")
    request = parse_job_request({**controller.job("a.wav"), "attempt": None})
    writeback = Writeback("w1", request, [TOKEN], lambda _seconds: None)
    assert writeback.send_output(Output("in-1", "json", "0.json", tmp_path / "0.json")) == "accepted"
    assert "attempt" not in controller.outputs[0].fields
