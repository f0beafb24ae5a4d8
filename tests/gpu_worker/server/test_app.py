"""What the worker answers, on a real socket."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from gpu_worker.shared.protocol import MAX_JOBS_ASKED, WHISPER_MODELS
from tests.gpu_worker.worker import Worker, wait_for

JOB: dict[str, Any] = {
    "controllerJobId": "job-1",
    "controllerSessionHash": "00",
    "inputs": [
        {
            "inputId": "1",
            "filename": "x.wav",
            "contentType": "audio/wav",
            "sizeBytes": 10,
            "downloadUrl": "http://127.0.0.1:1/x?sig=s",
        }
    ],
    "options": {},
    "callbackUrl": "http://127.0.0.1:1/complete",
    "outputsUploadUrl": "http://127.0.0.1:1/outputs",
}


def test_health_is_open_and_tells_nothing_secret(idle_worker: Worker) -> None:
    reply = requests.get(f"{idle_worker.url}/health", timeout=30)
    assert reply.status_code == 200
    assert reply.json() == {
        "status": "ok",
        "service": "bulk-transcribe-worker",
        "model": "tiny.en",
        "maxFileMB": 2000,
    }


@pytest.mark.parametrize("path", ["/v1/ping", "/v1/preflight", "/v1/jobs/x", "/v1/unknown", "/"])
def test_a_stranger_is_asked_for_a_token(idle_worker: Worker, path: str) -> None:
    reply = requests.get(idle_worker.url + path, timeout=30)
    assert (reply.status_code, reply.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", "Basic YTpi", "wrong", "Bearer é"])
def test_a_wrong_token_is_refused(idle_worker: Worker, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    for method, path in (("GET", "/v1/ping"), ("POST", "/v1/jobs"), ("POST", "/v1/jobs/x/cancel")):
        reply = requests.request(method, idle_worker.url + path, headers=headers, timeout=30)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "FORBIDDEN")
        assert reply.headers["Content-Type"] == "application/json"


def test_an_unknown_job_is_a_json_404(idle_worker: Worker) -> None:
    assert idle_worker.get("/v1/jobs/nobody").json() == {"error": "Job not found"}
    reply = idle_worker.post("/v1/jobs/nobody/cancel")
    assert (reply.status_code, reply.json()) == (404, {"error": "Job not found"})


def test_other_paths_and_methods_answer_json(idle_worker: Worker) -> None:
    assert idle_worker.get("/v1/unknown").json() == {"error": "Not found"}
    reply = idle_worker.post("/v1/ping")
    assert (reply.status_code, reply.headers["Allow"]) == (405, "GET")
    assert idle_worker.get("/v1/jobs").status_code == 400, "it has to say which jobs"


def test_ping_tells_what_the_worker_can_do(idle_worker: Worker) -> None:
    wait_for(lambda: idle_worker.get("/v1/ping").json()["models"])
    ping = idle_worker.get("/v1/ping").json()
    assert ping["status"] == "ok"
    assert ping["models"] == ["tiny.en"]
    assert (ping["gpu"], ping["diarization"], ping["maxFileMB"]) == (False, False, 2000)
    assert (ping["activeJobs"], ping["maxConcurrentJobs"]) == (0, 1)
    assert set(ping["identity"]) == {"gitCommit", "buildTime", "declaredImageDigest"}


def test_preflight_says_in_words_what_was_looked_at(idle_worker: Worker) -> None:
    wait_for(lambda: idle_worker.get("/v1/ping").json()["models"])
    found = idle_worker.get("/v1/preflight").json()
    looked_at = {"gpu", "weights", "disk", "packages", "decoder", "controller", "diarization"}
    assert set(found["checks"]) == looked_at
    assert "nvidia-smi" in found["checks"]["gpu"]["message"]
    assert found["checks"]["weights"] == {"ok": True, "message": "WORKER_MODEL tiny.en is installed."}
    assert found["versions"]["openai-whisper"]
    assert found["status"] == ("error" if found["errors"] else "ok")


def test_preflight_names_an_unreachable_controller_and_missing_weights(tmp_path: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Worker(tmp_path, CONTROLLER_ORIGIN=address, WORKER_MODEL="medium") as worker:
            found = wait_for(
                lambda: (r := worker.get("/v1/preflight").json()) and "weights" in r["errors"] and r
            )
    assert found["status"] == "error"
    assert "unreachable" in found["errors"]["controller"]
    assert "put it into the cache folder" in found["errors"]["weights"]


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"inputs": []}, "INVALID_REQUEST", "inputs"),
        ({"controllerJobId": None}, "INVALID_REQUEST", "controllerJobId"),
        ({"callbackUrl": "file:///etc/passwd"}, "INVALID_REQUEST", "callbackUrl"),
        ({"protocolVersion": 2}, "PROTOCOL_MISMATCH", "protocolVersion"),
        ({"options": {"temperature": "hot"}}, "INVALID_REQUEST", "temperature"),
        ({"options": {"beamSize": 99}}, "INVALID_REQUEST", "beamSize"),
        ({"options": {"vadEnabled": 1}}, "INVALID_REQUEST", "vadEnabled"),
        ({"options": {"language": "klingon"}}, "INVALID_REQUEST", "options.language"),
        ({"options": {"task": "sing"}}, "INVALID_REQUEST", "task"),
        ({"options": {"model": "gigantic"}}, "UNKNOWN_MODEL", "options.model"),
        ({"options": {"model": "../../etc/passwd"}}, "UNKNOWN_MODEL", "options.model"),
    ],
)
def test_a_bad_job_is_refused_and_the_field_named(
    idle_worker: Worker, change: dict[str, Any], code: str, named: str
) -> None:
    reply = idle_worker.post("/v1/jobs", {**JOB, **change})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == code
    assert named in reply.json()["error"]["message"]


def test_a_file_over_the_limit_is_refused_before_it_is_fetched(idle_worker: Worker) -> None:
    big = {**JOB["inputs"][0], "sizeBytes": 2001 * 1024 * 1024}
    reply = idle_worker.post("/v1/jobs", {**JOB, "inputs": [big]})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INPUT_TOO_LARGE")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"[" * 100_000, b'"text"', b"\xff"])
def test_a_body_that_is_no_job_is_a_400(idle_worker: Worker, body: bytes) -> None:
    reply = requests.post(
        f"{idle_worker.url}/v1/jobs",
        data=body,
        headers={"Authorization": f"Bearer {idle_worker.environ['WORKER_TOKEN']}"},
        timeout=30,
    )
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_a_body_over_one_mebibyte_is_refused(idle_worker: Worker) -> None:
    reply = idle_worker.post("/v1/jobs", {**JOB, "more": "x" * 1024 * 1024})
    assert reply.status_code == 413


def test_half_open_connections_do_not_silence_the_worker(idle_worker: Worker) -> None:
    address = urlsplit(idle_worker.url)
    assert address.hostname and address.port
    hanging = [socket.create_connection((address.hostname, address.port)) for _ in range(150)]
    try:
        for line in hanging:
            line.sendall(b"POST /v1/jobs HTTP/1.1\r\nContent-Length: 10\r\n")
        assert requests.get(f"{idle_worker.url}/health", timeout=30).status_code == 200
    finally:
        for line in hanging:
            line.close()


def test_the_model_names_are_whispers_own() -> None:
    from whisper import available_models

    assert sorted(WHISPER_MODELS) == sorted(available_models())


def test_many_jobs_are_answered_by_one_call(idle_worker: Worker) -> None:
    answer = idle_worker.get("/v1/jobs?id=never-heard-of&id=nor-of-this").json()
    assert answer == {"jobs": {"never-heard-of": None, "nor-of-this": None}}
    too_many = "&".join(f"id=job-{number}" for number in range(MAX_JOBS_ASKED + 1))
    assert idle_worker.get(f"/v1/jobs?{too_many}").status_code == 400
