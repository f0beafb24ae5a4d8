"""Stages overlap: the next file is made ready while one is recognised; and nothing of a canceled job is left."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.gpu_worker.controller import TOKEN, Controller
from tests.gpu_worker.worker import Worker, wait_for

OVER = ("complete", "failed", "canceled")


def test_the_next_file_of_a_job_is_fetched_while_one_is_recognised(
    controller: Controller, worker: Worker, tmp_path: Path
) -> None:
    job = worker.begin(controller.job("a.wav", "b.wav", initialPrompt=f"until {tmp_path / 'enough'}"))
    status = worker.reach(job, "transcribing")
    wait_for(lambda: len(controller.downloads) == 2)
    assert (status["progress"]["currentFileIndex"], worker.poll(job)["stage"]) == (0, "transcribing")
    (tmp_path / "enough").touch()
    assert worker.reach(job, *OVER)["status"] == "complete"


def test_the_next_job_is_made_ready_while_one_is_recognised(
    controller: Controller, worker: Worker, tmp_path: Path
) -> None:
    first = worker.begin(controller.job("a.wav", initialPrompt=f"until {tmp_path / 'enough'}"), key="1")
    worker.reach(first, "transcribing")
    second = worker.begin(controller.job("b.wav"), key="2")
    assert worker.reach(second, "queued")["stage"] in ("queued", "downloading", "decoding")
    wait_for(lambda: len(controller.downloads) == 2)
    assert worker.poll(first)["status"] == "running"
    (tmp_path / "enough").touch()
    assert worker.reach(second, *OVER)["status"] == "complete"


def test_a_file_that_failed_to_come_ahead_fails_alone(controller: Controller, worker: Worker) -> None:
    controller.files["bad.wav"] = b"words"
    job = worker.begin(controller.job("a.wav", "bad.wav", "b.wav", initialPrompt="slow"))
    status = worker.reach(job, *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "INPUT_UNDECODABLE")
    assert {output["inputId"] for output in status["outputs"]} == {"in-a.wav", "in-b.wav"}


def test_a_canceled_job_leaves_nothing_though_its_next_download_hangs(
    controller: Controller, worker: Worker
) -> None:
    released: list[bool] = []

    def stall(request: BaseHTTPRequestHandler) -> int | None:
        while request.command == "GET" and request.path.split("?")[0].endswith("b.wav") and not released:
            time.sleep(0.05)
        return None

    controller.interfere = stall
    try:
        job = worker.begin(controller.job("a.wav", "b.wav", initialPrompt="hang"))
        worker.reach(job, "transcribing")
        worker.post(f"/v1/jobs/{job}/cancel")
        assert worker.reach(job, "canceled")["status"] == "canceled", "though the engine does not listen"
        wait_for(lambda: worker.scratch() == [])
    finally:
        released.append(True)
    controller.interfere = lambda _request: None
    again = worker.begin(controller.job("b.wav"), key="2")
    assert worker.reach(again, *OVER)["status"] == "complete"


@pytest.mark.parametrize("known", ["before", TOKEN])
def test_a_controller_that_knows_one_of_two_tokens_gets_its_results(
    controller: Controller, tmp_path: Path, known: str
) -> None:
    def check(request: BaseHTTPRequestHandler) -> int | None:
        is_known = request.command == "GET" or request.headers["Authorization"] == f"Bearer {known}"
        return None if is_known else 403

    controller.interfere = check
    with Worker(tmp_path, WORKER_TOKEN_PREVIOUS="before") as worker:
        status = worker.reach(worker.begin(controller.job("a.wav")), *OVER)
    assert status["status"] == "complete"
    assert {r.authorization for r in controller.outputs} == {f"Bearer {known}"}
