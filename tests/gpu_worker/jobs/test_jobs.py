"""The life of a job on a real worker: progress, keys, capacity, cancel, failures."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from gpu_worker.shared.protocol import WORKER_AGENT, parse_complete, parse_job_status
from gpu_worker.shared.transcript import parse
from tests.gpu_worker.controller import TOKEN, Controller
from tests.gpu_worker.engines import SPOKEN
from tests.gpu_worker.worker import Worker, wait_for

OVER = ("complete", "failed", "canceled")


def test_a_job_delivers_its_documents_and_then_says_complete(controller: Controller, worker: Worker) -> None:
    job = worker.begin(controller.job("a.wav"), key="attempt-1")
    status = worker.reach(job, *OVER)
    assert (status["status"], status["stage"], status["error"]) == ("complete", "complete", None)
    sent = [
        (r.fields["workerJobId"], r.fields["inputId"], r.fields["outputType"]) for r in controller.outputs
    ]
    assert sent == [(job, "in-a.wav", "json"), (job, "in-a.wav", "markdown")]
    document = parse(json.loads(controller.outputs[0].fields["file"]))
    assert (document["text"], document["duration"]) == (" ".join([SPOKEN] * 3), 3.0)
    assert document["engine"] == "scripted"
    complete = parse_complete(controller.completes[0].fields)
    assert (complete["status"], complete["attempt"]) == ("complete", 1)
    assert [output["type"] for output in complete["outputs"]] == ["json", "markdown"]
    for received in (*controller.outputs, *controller.completes):
        assert (received.authorization, received.agent) == (f"Bearer {TOKEN}", WORKER_AGENT)


def test_downloads_carry_no_token(controller: Controller, worker: Worker) -> None:
    worker.reach(worker.begin(controller.job("a.wav")), *OVER)
    assert [(head["User-Agent"], head.get("Authorization")) for head in controller.downloads] == [
        (WORKER_AGENT, None)
    ]


def test_nothing_is_left_on_the_disk_after_a_job(controller: Controller, worker: Worker) -> None:
    worker.reach(worker.begin(controller.job("a.wav", "b.wav")), *OVER)
    assert worker.scratch() == []
    wait_for(lambda: not list((worker.state_dir / "results").iterdir()))


def test_percent_never_falls_and_moves_inside_a_file(controller: Controller, worker: Worker) -> None:
    job = worker.begin(controller.job("a.wav", "b.wav", initialPrompt="slow"))
    seen: list[dict[str, Any]] = []

    def look() -> bool:
        seen.append(worker.poll(job))
        return seen[-1]["status"] in OVER

    wait_for(look)
    percents = [status["progress"]["percent"] for status in seen]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    inside = {status["progress"]["percent"] for status in seen if status["stage"] == "transcribing"}
    assert len(inside) > 5
    assert {status["progress"]["currentFileIndex"] for status in seen} == {0, 1}
    assert seen[-1]["progress"]["totalFiles"] == 2
    assert any(status["progress"]["speed"] and status["progress"]["etaSeconds"] for status in seen)
    assert all(parse_job_status(status) for status in seen)


def test_documents_of_a_file_are_sent_before_the_next_file_is_done(
    controller: Controller, worker: Worker
) -> None:
    job = worker.begin(controller.job("a.wav", "b.wav", initialPrompt="slow"))
    wait_for(lambda: len(controller.outputs) == 2)
    assert worker.poll(job)["status"] == "running"
    assert not controller.completes


def test_fifty_simultaneous_posts_start_one_job(controller: Controller, worker: Worker) -> None:
    body = controller.job("a.wav")
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: worker.post("/v1/jobs", body, "attempt-1"), range(50)))
    assert sorted({reply.status_code for reply in replies}) == [200, 201]
    assert [reply.status_code for reply in replies].count(201) == 1
    assert len({reply.json()["workerJobId"] for reply in replies}) == 1
    worker.reach(replies[0].json()["workerJobId"], *OVER)
    assert len(controller.completes) == 1


def test_a_key_is_remembered_after_its_job_is_over(controller: Controller, worker: Worker) -> None:
    body = controller.job("a.wav")
    job = worker.begin(body, "attempt-1")
    worker.reach(job, *OVER)
    again = worker.post("/v1/jobs", body, "attempt-1")
    assert (again.status_code, again.json()) == (200, {"workerJobId": job, "status": "complete"})


def test_the_same_key_with_another_body_is_refused(controller: Controller, worker: Worker) -> None:
    worker.begin(controller.job("a.wav"), "attempt-1")
    reply = worker.post("/v1/jobs", controller.job("b.wav"), "attempt-1")
    assert reply.status_code == 422


def test_a_link_that_was_signed_again_is_the_same_job(controller: Controller, worker: Worker) -> None:
    body = controller.job("a.wav")
    job = worker.begin(body, "attempt-1")
    body["inputs"][0]["downloadUrl"] += "9"
    assert worker.begin(body, "attempt-1") == job


def test_without_a_key_job_and_inputs_are_the_key(controller: Controller, worker: Worker) -> None:
    first = worker.begin(controller.job("a.wav"))
    assert worker.begin(controller.job("a.wav")) == first
    assert worker.begin(controller.job("b.wav")) != first


def test_jobs_over_the_capacity_are_sent_back(controller: Controller, worker: Worker) -> None:
    slow = controller.job("a.wav", initialPrompt="slow")
    jobs = [worker.begin(slow, f"attempt-{i}") for i in range(3)]  # one at work, two waiting
    reply = worker.post("/v1/jobs", slow, "attempt-3")
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert worker.get("/v1/ping").json()["activeJobs"] == 3
    assert worker.begin(slow, "attempt-0") == jobs[0]  # a known key needs no place
    assert [worker.reach(job, *OVER)["status"] for job in jobs] == ["complete"] * 3
    assert worker.post("/v1/jobs", slow, "attempt-3").status_code == 201


def test_the_next_job_is_decoded_while_the_first_is_transcribed(
    controller: Controller, worker: Worker
) -> None:
    first = worker.begin(controller.job("a.wav", initialPrompt="hang"), "attempt-1")
    worker.reach(first, "transcribing")
    second = worker.begin(controller.job("b.wav"), "attempt-2")
    status = wait_for(lambda: (s := worker.poll(second))["progress"]["audioDuration"] and s)
    assert (status["status"], status["progress"]["audioDuration"]) == ("running", 2.0)
    assert worker.poll(first)["stage"] == "transcribing"


def test_two_jobs_share_the_engine_where_it_may_hold_two(controller: Controller, tmp_path: Path) -> None:
    with Worker(tmp_path, WORKER_MAX_CONCURRENT_JOBS="2") as worker:
        slow = controller.job("a.wav", initialPrompt="slow")
        jobs = [worker.begin(slow, f"attempt-{i}") for i in range(2)]
        wait_for(lambda: all(worker.poll(job)["progress"]["audioSeconds"] for job in jobs))
        assert all(worker.reach(job, *OVER)["status"] == "complete" for job in jobs)


def test_cancel_stops_between_two_windows(controller: Controller, worker: Worker) -> None:
    job = worker.begin(controller.job("a.wav", initialPrompt="slow"))
    worker.reach(job, "transcribing")
    assert worker.post(f"/v1/jobs/{job}/cancel").json() == {"status": "cancel_requested"}
    assert worker.reach(job, *OVER)["status"] == "canceled"
    wait_for(lambda: controller.completes)
    assert controller.completes[0].fields["status"] == "canceled"
    assert (controller.outputs, worker.scratch()) == ([], [])
    assert not worker.events("engine_died")
    assert worker.post(f"/v1/jobs/{job}/cancel").status_code == 200  # twice does no harm


def test_a_waiting_job_can_be_canceled(controller: Controller, worker: Worker) -> None:
    first = worker.begin(controller.job("a.wav", initialPrompt="slow"), "attempt-1")
    worker.reach(first, "transcribing")
    second = worker.begin(controller.job("b.wav"), "attempt-2")
    worker.post(f"/v1/jobs/{second}/cancel")
    assert worker.reach(second, *OVER)["status"] == "canceled"
    assert worker.reach(first, *OVER)["status"] == "complete"


@pytest.mark.parametrize(
    ("script", "code"),
    [("crash", "ENGINE_CRASHED"), ("memory", "OUT_OF_MEMORY"), ("mistake", "PROCESSING_ERROR")],
)
def test_a_job_that_breaks_the_engine_fails_and_the_next_one_runs(
    controller: Controller, worker: Worker, script: str, code: str
) -> None:
    bad = worker.begin(controller.job("a.wav", initialPrompt=script), "attempt-1")
    good = worker.begin(controller.job("b.wav"), "attempt-2")
    status = worker.reach(bad, *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", code)
    assert worker.reach(good, *OVER)["status"] == "complete"
    wait_for(lambda: len(controller.completes) >= 2)  # a poll may say it before the callback arrives
    statuses = {r.fields["workerJobId"]: r.fields["status"] for r in controller.completes}
    assert statuses == {bad: "failed", good: "complete"}


def test_a_model_that_cannot_be_had_says_what_to_do(controller: Controller, worker: Worker) -> None:
    status = worker.reach(worker.begin(controller.job("a.wav", model="medium")), *OVER)
    assert status["error"]["code"] == "MODEL_UNAVAILABLE"
    assert "put it into the cache folder" in status["error"]["message"]


def test_a_file_that_does_not_fit_on_the_disk_is_not_fetched(controller: Controller, tmp_path: Path) -> None:
    with Worker(tmp_path, WORKER_MAX_FILE_MB="1000000") as worker:
        body = controller.job("a.wav")
        body["inputs"][0]["sizeBytes"] = 900_000 * 1024 * 1024
        status = worker.reach(worker.begin(body), *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "WORKER_DISK_FULL")
    assert controller.downloads == []


def test_one_bad_file_does_not_stop_its_neighbours(controller: Controller, worker: Worker) -> None:
    controller.files["bad.mp3"] = b"these are words, not sounds\n"
    job = worker.begin(controller.job("bad.mp3", "a.wav"))
    status = worker.reach(job, *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "INPUT_UNDECODABLE")
    assert "text file" in status["error"]["message"]
    assert {r.fields["inputId"] for r in controller.outputs} == {"in-a.wav"}
    wait_for(lambda: controller.completes)
    complete = parse_complete(controller.completes[0].fields)
    assert (complete["status"], len(complete["outputs"])) == ("failed", 2)


def test_a_job_that_asks_for_speakers_fails_where_nobody_can_tell_them_apart(
    controller: Controller, worker: Worker
) -> None:
    status = worker.reach(
        worker.begin(controller.job("a.wav", diarizationEnabled=True, numSpeakers=2)), *OVER
    )
    assert (status["status"], status["error"]["code"]) == ("failed", "DIARIZATION_UNAVAILABLE")
    assert controller.outputs == []


def answering(status: int, end: str, times: int = 10**6) -> Any:
    """Interfere with POSTs to paths that end so, this many times."""
    left = [times]

    def interfere(request: BaseHTTPRequestHandler) -> int | None:
        if request.command != "POST" or not request.path.endswith(end) or not left[0]:
            return None
        left[0] -= 1
        return status

    return interfere


@pytest.mark.parametrize("status", [409, 410])
def test_results_of_a_replaced_or_canceled_attempt_are_deleted(
    controller: Controller, worker: Worker, status: int
) -> None:
    controller.interfere = answering(status, "/outputs")
    job = worker.begin(controller.job("a.wav", "b.wav", initialPrompt="slow"))
    assert worker.reach(job, *OVER)["status"] == "canceled"
    assert (controller.completes, worker.scratch()) == ([], [])
    wait_for(lambda: not list((worker.state_dir / "results").iterdir()))
    assert len(controller.downloads) <= 2


@pytest.mark.parametrize("path", ["/outputs", "/complete"])
def test_a_controller_that_is_away_for_a_moment_gets_everything(
    controller: Controller, worker: Worker, path: str
) -> None:
    controller.interfere = answering(503, path, times=1)
    job = worker.begin(controller.job("a.wav"))
    assert worker.reach(job, "uploading")["status"] == "running"
    assert worker.reach(job, *OVER)["status"] == "complete"
    assert (len(controller.outputs), len(controller.completes)) == (2, 1)


def test_a_refused_complete_is_not_repeated(controller: Controller, worker: Worker) -> None:
    controller.interfere = answering(403, "/complete")
    status = worker.reach(worker.begin(controller.job("a.wav")), *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "REMOTE_OUTPUTS_MISSING")
    assert [event["attempts"] for event in worker.events("writeback") if event["what"] == "complete"] == [1]


def test_created_and_201_do_not_count_as_acknowledged(controller: Controller, worker: Worker) -> None:
    controller.interfere = answering(201, "/complete")
    status = worker.reach(worker.begin(controller.job("a.wav")), *OVER)
    assert status["status"] == "failed"


def test_a_failure_is_shown_though_the_controller_cannot_be_called(
    controller: Controller, worker: Worker
) -> None:
    controller.files["bad.wav"] = b""
    controller.interfere = answering(503, "/complete")
    status = worker.reach(worker.begin(controller.job("bad.wav")), *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "INPUT_UNDECODABLE")
    assert "empty" in status["error"]["message"]


def test_a_job_of_another_controller_is_refused(controller: Controller, worker: Worker) -> None:
    with Controller(files=controller.files) as stranger:
        worker.begin(controller.job("a.wav"), "attempt-1")
        reply = worker.post("/v1/jobs", stranger.job("b.wav"), "attempt-2")
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "ORIGIN_REFUSED")
        mixed = {**controller.job("b.wav"), "outputsUploadUrl": f"{stranger.url}/outputs"}
        assert worker.post("/v1/jobs", mixed, "attempt-3").status_code == 400
        assert stranger.downloads == []


def test_the_configured_controller_is_the_only_one(controller: Controller, tmp_path: Path) -> None:
    with Worker(tmp_path, CONTROLLER_ORIGIN="https://transcribe.example.org") as worker:
        reply = worker.post("/v1/jobs", controller.job("a.wav"))
        assert "https://transcribe.example.org:443" in reply.json()["error"]["message"]


def test_a_token_does_not_travel_unencrypted(controller: Controller, tmp_path: Path) -> None:
    body = json.loads(json.dumps(controller.job("a.wav")).replace("127.0.0.1", "198.51.100.7"))
    with Worker(
        tmp_path / "strict_home",
    ) as worker:
        reply = worker.post("/v1/jobs", body)
        assert (reply.status_code, "https" in reply.json()["error"]["message"]) == (400, True)
    with Worker(tmp_path / "lax_home", ALLOW_INSECURE_WORKER="1") as worker:
        job = worker.begin(body)
        worker.post(f"/v1/jobs/{job}/cancel")
        assert worker.reach(job, *OVER)["status"] == "canceled"
