"""Downloads: resumed where they broke, checked, bounded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gpu_worker.errors import Fault
from gpu_worker.inputs import fetch
from gpu_worker.inputs.fetch import Fetch
from gpu_worker.shared.protocol import InputSpec, parse_job_request
from tests.gpu_worker.controller import SIGNATURE, Controller, redirect

CONTENT = bytes(i % 251 for i in range(1_000_000))
LIMIT = 2_000_000

Interference = Callable[[BaseHTTPRequestHandler], int | None]


@pytest.fixture
def controller() -> Iterator[Controller]:
    with Controller(files={"a.wav": CONTENT}) as running:
        yield running


def spec_of(controller: Controller) -> InputSpec:
    return parse_job_request(controller.job("a.wav")).inputs[0]


def get(spec: InputSpec, target: Path, limit: int = LIMIT) -> int:
    return Fetch(spec, limit, lambda _seconds: None, lambda _got: None).to(target)


def in_turn(*answers: Interference) -> Interference:
    """Interfere with one request after the other."""
    left = list(answers)

    def interfere(request: BaseHTTPRequestHandler) -> int | None:
        return left.pop(0)(request) if left else None

    return interfere


def broken_after(count: int, content: bytes = CONTENT) -> Interference:
    """Announce the whole file, send `count` bytes of it, hang up."""

    def interfere(request: BaseHTTPRequestHandler) -> int | None:
        request.send_response(200)
        request.send_header("ETag", f'"{hashlib.sha256(CONTENT).hexdigest()}"')
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[:count])
        request.close_connection = True
        return -1

    return interfere


def refused(controller: Controller, tmp_path: Path, spec: InputSpec | None = None) -> Fault:
    with pytest.raises(Fault) as failure:
        get(spec or spec_of(controller), tmp_path / "x")
    assert SIGNATURE not in str(failure.value)
    return failure.value


def test_a_broken_download_goes_on_where_it_broke(controller: Controller, tmp_path: Path) -> None:
    controller.interfere = in_turn(broken_after(300_000), lambda _request: 503)
    assert get(spec_of(controller), tmp_path / "x") == len(CONTENT)
    assert (tmp_path / "x").read_bytes() == CONTENT
    last = controller.downloads[-1]
    assert 0 < int(last["Range"][6:-1]) <= 300_000
    assert last["If-Range"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def test_a_damaged_file_is_fetched_once_more(controller: Controller, tmp_path: Path) -> None:
    damaged = b"x" + CONTENT[1:]
    controller.interfere = in_turn(broken_after(len(damaged), damaged))
    get(spec_of(controller), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_file_that_is_damaged_twice_fails(controller: Controller, tmp_path: Path) -> None:
    wrong = replace(spec_of(controller), sha256="0" * 64)
    assert refused(controller, tmp_path, wrong).code == "CHECKSUM_MISMATCH"
    assert len(controller.downloads) == 2


def test_a_file_longer_than_announced_fails(controller: Controller, tmp_path: Path) -> None:
    wrong = replace(spec_of(controller), size_bytes=999_999)
    assert refused(controller, tmp_path, wrong).code == "CHECKSUM_MISMATCH"


def test_a_file_over_the_limit_is_cut_off_while_it_arrives(controller: Controller, tmp_path: Path) -> None:
    with pytest.raises(Fault) as failure:
        get(replace(spec_of(controller), size_bytes=0), tmp_path / "x", limit=500_000)
    assert failure.value.code == "INPUT_TOO_LARGE"
    assert (tmp_path / "x").stat().st_size <= 500_000


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refused_link_is_not_tried_again(controller: Controller, tmp_path: Path, status: int) -> None:
    controller.interfere = lambda _request: status
    assert refused(controller, tmp_path).code == "DOWNLOAD_FAILED"
    assert len(controller.downloads) == 1


def test_a_redirect_is_not_followed(controller: Controller, tmp_path: Path) -> None:
    controller.interfere = redirect(302, controller.url)
    assert "redirects" in str(refused(controller, tmp_path))
    assert len(controller.downloads) == 1


def test_a_controller_that_stays_away_is_given_up(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "DOWNLOAD_PATIENCE", -1.0)
    spec = spec_of(controller)
    controller.close()
    assert refused(controller, tmp_path, spec).code == "DOWNLOAD_FAILED"
    controller.reopen(0)


def test_a_canceled_job_stops_its_download(controller: Controller, tmp_path: Path) -> None:
    def stop(_seconds: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Fetch(spec_of(controller), LIMIT, stop, lambda _got: None).to(tmp_path / "x")
