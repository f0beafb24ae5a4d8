"""Push mode, the worker's half: the controller makes every connection."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from gpu_worker.errors import Canceled, Fault
from gpu_worker.server import receive_push
from gpu_worker.server.receive_push import PushUpload, Slice
from gpu_worker.shared.protocol import InputSpec
from gpu_worker.shared.transcript import parse
from tests.gpu_worker.controller import TOKEN
from tests.gpu_worker.sounds import tone
from tests.gpu_worker.worker import Worker, wait_for

OVER = ("complete", "failed", "canceled")
SLICE = 20_000


def job(content: bytes, *, sha256: str = "", **options: object) -> dict[str, Any]:
    """A job of one file whose id needs escaping; it names no address at all."""
    spec = {
        "inputId": "in 1é",
        "filename": "a.wav",
        "sizeBytes": len(content),
        "sha256": sha256 or hashlib.sha256(content).hexdigest(),
    }
    return {"controllerJobId": "c1", "inputs": [spec], "options": options}


def call(worker: Worker, method: str, path: str, body: bytes = b"", **headers: str) -> requests.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Authorization"] = f"Bearer {TOKEN}"
    return requests.request(method, f"{worker.url}/v1/jobs/{path}", data=body, headers=headers, timeout=30)


def put(worker: Worker, job_id: str, content: bytes, first: int, last: int) -> requests.Response:
    """Send the bytes from `first` up to and without `last`."""
    span = f"bytes {first}-{last - 1}/{len(content)}"
    return call(worker, "PUT", f"{job_id}/inputs/in 1é", content[first:last], Content_Range=span)


def send(worker: Worker, job_id: str, content: bytes, first: int = 0) -> requests.Response:
    """Send the rest of a file in slices; return the last answer."""
    reply = None
    for at in range(first, len(content), SLICE):
        reply = put(worker, job_id, content, at, min(at + SLICE, len(content)))
        assert reply.status_code in (200, 422), reply.text
    assert reply is not None
    return reply


def offset(worker: Worker, job_id: str) -> int:
    reply = call(worker, "HEAD", f"{job_id}/inputs/in 1é")
    assert reply.status_code == 200
    return int(reply.headers["Upload-Offset"])


def test_a_file_comes_in_by_slices_and_its_documents_are_fetched(worker: Worker) -> None:
    content = tone(2.0)
    job_id = worker.begin(job(content))
    assert worker.reach(job_id, "downloading")["status"] == "running"
    assert offset(worker, job_id) == 0
    assert send(worker, job_id, content).json() == {"offset": len(content), "complete": True}
    status = worker.reach(job_id, *OVER)
    assert (status["status"], status["error"]) == ("complete", None)
    assert [output["type"] for output in status["outputs"]] == ["json", "markdown"]
    reply = call(worker, "GET", f"{job_id}/outputs/in 1é/json")
    assert reply.headers["ETag"] == f'"{hashlib.sha256(reply.content).hexdigest()}"'
    assert reply.headers["Content-Type"] == "application/json"
    assert parse(reply.json())["segments"]
    assert call(worker, "GET", f"{job_id}/outputs/in 1é/diarization-json").status_code == 404
    assert call(worker, "GET", "0/outputs/in 1é/json").status_code == 404
    assert worker.scratch() == []


def test_a_cut_transfer_goes_on_where_it_broke(worker: Worker) -> None:
    content = tone(2.0)
    job_id = worker.begin(job(content))
    put(worker, job_id, content, 0, SLICE)
    misplaced = put(worker, job_id, content, 2 * SLICE, 3 * SLICE)
    assert (misplaced.status_code, misplaced.json()["offset"]) == (409, SLICE)
    assert misplaced.headers["Upload-Offset"] == str(SLICE)
    assert put(worker, job_id, content, 0, SLICE).status_code == 409, "a repeated slice is not taken twice"
    send(worker, job_id, content, first=offset(worker, job_id))
    assert worker.reach(job_id, *OVER)["status"] == "complete"


def test_a_damaged_file_may_be_sent_once_more(worker: Worker) -> None:
    content = tone(2.0)
    job_id = worker.begin(job(content))
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    refused = send(worker, job_id, flipped)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "CHECKSUM_MISMATCH")
    assert offset(worker, job_id) == 0
    send(worker, job_id, content)
    assert worker.reach(job_id, *OVER)["status"] == "complete"


def test_a_file_that_arrives_damaged_twice_fails_the_job(worker: Worker) -> None:
    content = tone(1.0)
    job_id = worker.begin(job(content, sha256="0" * 64))
    assert send(worker, job_id, content).status_code == 422
    assert send(worker, job_id, content).status_code == 422
    status = worker.reach(job_id, *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "CHECKSUM_MISMATCH")
    assert put(worker, job_id, content, 0, SLICE).status_code == 410
    assert call(worker, "HEAD", f"{job_id}/inputs/in 1é").status_code == 410


@pytest.mark.parametrize(
    "span", ["", "bytes 0-9/*", "bytes 0-8/%d", "bytes 5-4/%d", "bytes 0-9/77", "words 0-9/%d"]
)
def test_a_slice_that_does_not_fit_its_range_is_refused(worker: Worker, span: str) -> None:
    content = tone(1.0)
    job_id = worker.begin(job(content))
    text = span % len(content) if "%" in span else span
    reply = call(worker, "PUT", f"{job_id}/inputs/in 1é", content[:10], Content_Range=text)
    assert reply.status_code == 400
    assert "Content-Range" in reply.json()["error"]["message"]
    assert offset(worker, job_id) == 0


def test_a_slice_of_a_mebibyte_is_taken_and_a_larger_one_is_not(worker: Worker) -> None:
    content = tone(40.0)
    job_id = worker.begin(job(content))
    assert put(worker, job_id, content, 0, 2**20 + 1).status_code == 413
    assert put(worker, job_id, content, 0, 2**20).status_code == 200


def test_an_empty_file_is_whole_at_once(worker: Worker) -> None:
    job_id = worker.begin(job(b""))
    reply = call(worker, "PUT", f"{job_id}/inputs/in 1é", Content_Range="bytes */0")
    assert reply.json() == {"offset": 0, "complete": True}
    status = worker.reach(job_id, *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "INPUT_UNDECODABLE")


def test_results_wait_through_a_crash_until_they_are_deleted(worker: Worker) -> None:
    content = tone(1.0)
    job_id = worker.begin(job(content), key="k")
    send(worker, job_id, content)
    worker.reach(job_id, *OVER)
    first = call(worker, "GET", f"{job_id}/outputs/in 1é/json").content
    worker.kill()
    worker.start()
    assert worker.poll(job_id)["status"] == "complete"
    assert call(worker, "GET", f"{job_id}/outputs/in 1é/json").content == first
    assert worker.begin(job(content), key="k") == job_id
    assert call(worker, "DELETE", job_id).json() == {"status": "deleted"}
    assert call(worker, "DELETE", job_id).status_code == 200
    assert worker.get(f"/v1/jobs/{job_id}").status_code == 404
    assert call(worker, "GET", f"{job_id}/outputs/in 1é/json").status_code == 404
    assert list((worker.state_dir / "results").iterdir()) == []
    assert call(worker, "DELETE", "0").status_code == 404


def test_an_accepted_job_goes_on_after_a_crash(worker: Worker) -> None:
    content = tone(1.0)
    job_id = worker.begin(job(content))
    put(worker, job_id, content, 0, SLICE)
    worker.kill()
    worker.start()
    send(worker, job_id, content, first=offset(worker, job_id))
    assert worker.reach(job_id, *OVER)["status"] == "complete"


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_job_that_waits_for_its_file_ends_at_once(worker: Worker, how: str) -> None:
    content = tone(1.0)
    job_id = worker.begin(job(content))
    put(worker, job_id, content, 0, SLICE)
    if how == "cancel":
        worker.post(f"/v1/jobs/{job_id}/cancel")
        assert worker.reach(job_id, *OVER)["status"] == "canceled"
    else:
        call(worker, "DELETE", job_id)
        assert worker.get(f"/v1/jobs/{job_id}").status_code == 404
    wait_for(lambda: worker.scratch() == [])
    assert put(worker, job_id, content, SLICE, 2 * SLICE).status_code == (410 if how == "cancel" else 404)


def test_a_deleted_job_stops_at_work(worker: Worker) -> None:
    content = tone(60.0)
    job_id = worker.begin(job(content, initialPrompt="slow"))
    send(worker, job_id, content)
    worker.reach(job_id, "transcribing")
    call(worker, "DELETE", job_id)
    wait_for(lambda: worker.scratch() == [])
    wait_for(lambda: list((worker.state_dir / "results").iterdir()) == [])
    assert [task["end"] for task in worker.events("engine_task")] == ["canceled"]
    assert worker.get(f"/v1/jobs/{job_id}").status_code == 404


def test_the_percent_moves_while_a_file_comes_in(worker: Worker) -> None:
    content = tone(2.0)
    job_id = worker.begin(job(content))
    put(worker, job_id, content, 0, SLICE)
    first = wait_for(lambda: worker.poll(job_id)["progress"]["percent"])
    put(worker, job_id, content, SLICE, 2 * SLICE)
    wait_for(lambda: worker.poll(job_id)["progress"]["percent"] > first)
    assert worker.poll(job_id)["stage"] == "downloading"


def test_a_push_job_needs_sizes_and_ids_that_fit_into_an_address(worker: Worker) -> None:
    body = job(b"x")
    del body["inputs"][0]["sizeBytes"]
    assert "inputs[0].sizeBytes" in worker.post("/v1/jobs", body).text
    body = job(b"x")
    body["inputs"][0]["inputId"] = "a/b"
    assert "inputs[0].inputId" in worker.post("/v1/jobs", body).text


def test_a_stranger_may_neither_bring_nor_fetch(worker: Worker) -> None:
    job_id = worker.begin(job(b"x"))
    for method, path in (("PUT", "/inputs/in 1é"), ("GET", "/outputs/in 1é/json"), ("DELETE", "")):
        url = f"{worker.url}/v1/jobs/{job_id}{path}"
        assert requests.request(method, url, timeout=30).status_code == 401
        headers = {"Authorization": "Bearer wrong"}
        assert requests.request(method, url, headers=headers, timeout=30).status_code == 403
    assert json.loads(worker.get(f"/v1/jobs/{job_id}").text)["status"] == "running"


def test_a_silent_controller_fails_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_push, "SLICE_PATIENCE", 0.0)
    waiting = PushUpload(InputSpec("1", "a", "", 10), tmp_path / "0.media")
    waiting.take(Slice(0, 10, b"abc"))
    with pytest.raises(Fault) as fault:
        waiting.wait(lambda _seconds: None)
    assert fault.value.code == "DOWNLOAD_FAILED"


def test_a_canceled_job_does_not_wait_for_its_file(tmp_path: Path) -> None:
    def canceled(_seconds: float) -> None:
        raise Canceled

    with pytest.raises(Canceled):
        PushUpload(InputSpec("1", "a", "", 10), tmp_path / "0.media").wait(canceled)
