"""What survives the worker's death, and what must not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.gpu_worker.controller import Controller
from tests.gpu_worker.jobs.test_jobs import OVER, answering
from tests.gpu_worker.worker import ROOT, Worker, wait_for

pytestmark = [
    pytest.mark.clean,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into Linux's /proc"),
]


def test_a_job_that_was_running_is_lost_and_never_run_again(controller: Controller, worker: Worker) -> None:
    body = controller.job("a.wav", initialPrompt="hang")
    job = worker.begin(body, "attempt-1")
    worker.reach(job, "transcribing")
    worker.kill()
    worker.start()
    reply = worker.get(f"/v1/jobs/{job}")
    assert (reply.status_code, reply.json()) == (404, {"error": "Job not found"})
    again = worker.post("/v1/jobs", body, "attempt-1")
    assert (again.status_code, again.json()["workerJobId"]) == (200, job)
    assert worker.get(f"/v1/jobs/{job}").status_code == 404
    assert worker.get("/v1/ping").json()["activeJobs"] == 0
    assert (len(controller.downloads), controller.completes) == (1, [])


def test_a_job_that_waited_goes_on_after_the_restart(controller: Controller, worker: Worker) -> None:
    running = worker.begin(controller.job("a.wav", initialPrompt="hang"), "attempt-1")
    worker.reach(running, "transcribing")
    waiting = worker.begin(controller.job("b.wav"), "attempt-2")
    worker.kill()
    worker.start()
    assert worker.reach(waiting, *OVER)["status"] == "complete"
    assert [r.fields["workerJobId"] for r in controller.completes] == [waiting]


def test_results_that_nobody_acknowledged_are_sent_after_the_restart(
    controller: Controller, worker: Worker
) -> None:
    controller.interfere = answering(503, "/complete")
    body = controller.job("a.wav")
    job = worker.begin(body, "attempt-1")
    wait_for(lambda: worker.poll(job)["stage"] == "uploading" and len(controller.outputs) == 2)
    wait_for(lambda: any(event["what"] == "complete" for event in worker.events("writeback")))
    worker.kill()
    controller.interfere = lambda _request: None
    worker.start()
    assert worker.reach(job, *OVER)["status"] == "complete"
    assert controller.completes[0].fields["workerJobId"] == job
    assert len(controller.completes[0].fields["outputs"]) == 2
    assert len(controller.outputs) == 2  # those were acknowledged before
    assert worker.begin(body, "attempt-1") == job
    wait_for(lambda: not list((worker.state_dir / "results").iterdir()))


def test_documents_that_were_not_taken_are_sent_after_the_restart(
    controller: Controller, worker: Worker
) -> None:
    controller.interfere = answering(503, "/outputs")
    job = worker.begin(controller.job("a.wav"))
    worker.reach(job, "uploading")
    wait_for(lambda: worker.events("writeback"))
    worker.kill()
    controller.interfere = lambda _request: None
    worker.start()
    assert worker.reach(job, *OVER)["status"] == "complete"
    assert [r.fields["outputType"] for r in controller.outputs] == ["json", "markdown"]


def test_the_end_of_a_job_is_known_after_the_restart(controller: Controller, worker: Worker) -> None:
    job = worker.begin(controller.job("a.wav"))
    worker.reach(job, *OVER)
    worker.kill()
    worker.start()
    status = worker.poll(job)
    assert (status["status"], status["progress"]["percent"]) == ("complete", 100)


def test_signed_links_are_forgotten_when_a_job_is_settled(controller: Controller, worker: Worker) -> None:
    job = worker.begin(controller.job("a.wav"))
    worker.reach(job, *OVER)
    worker.kill()
    database = b"".join(path.read_bytes() for path in worker.state_dir.glob("journal.sqlite3"))
    assert job.encode() in database or (worker.state_dir / "journal.sqlite3-wal").exists()
    assert oct(worker.state_dir.stat().st_mode & 0o777) == "0o700"


def test_scratch_is_emptied_at_the_start_and_nothing_else(controller: Controller, tmp_path: Path) -> None:
    theirs = tmp_path / "tmp" / "somebody's.txt"
    theirs.parent.mkdir()
    theirs.write_text("keep")
    with Worker(tmp_path) as worker:
        job = worker.begin(controller.job("a.wav", initialPrompt="hang"))
        worker.reach(job, "transcribing")
        assert worker.scratch()
        worker.kill()
        worker.start()
        assert worker.scratch() == []
    assert theirs.read_text() == "keep"


def engine_pid(worker: Worker) -> int:
    return int(json.loads((worker.state_dir / "engine.pid").read_text())["pid"])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_engine_dies_with_its_worker(worker: Worker) -> None:
    wait_for(lambda: worker.get("/v1/ping").json()["isReady"])
    engine = engine_pid(worker)
    assert is_alive(engine)
    worker.kill()
    wait_for(lambda: not is_alive(engine))


def test_a_foreign_process_with_the_old_pid_is_left_alone(worker: Worker) -> None:
    worker.kill()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        noted = {"pid": stranger.pid, "started": "1"}
        (worker.state_dir / "engine.pid").write_text(json.dumps(noted))
        worker.start()
        wait_for(lambda: worker.get("/v1/ping").json()["isReady"])
        assert stranger.poll() is None
        assert stranger.stdin
        stranger.stdin.close()


def test_an_engine_that_outlived_its_worker_is_ended(worker: Worker) -> None:
    worker.kill()
    command = [sys.executable, "-c", "input()", "gpu_worker.engine.child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as leftover:
        started = Path(f"/proc/{leftover.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
        noted = {"pid": leftover.pid, "started": started}
        (worker.state_dir / "engine.pid").write_text(json.dumps(noted))
        worker.start()
        assert leftover.wait(30) < 0
    assert worker.events("leftover_engine_ended")


def test_a_second_worker_does_not_take_the_same_folders(worker: Worker) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "gpu_worker"],
        cwd=ROOT,
        env={**os.environ, **worker.environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 2
    assert "used by another running worker" in second.stderr
    assert requests.get(f"{worker.url}/health", timeout=30).ok
