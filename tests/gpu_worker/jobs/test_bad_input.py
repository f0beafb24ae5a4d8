"""Jobs with odd contents: names lead nowhere, unknown fields mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gpu_worker.controller import Controller
from tests.gpu_worker.worker import Worker, wait_for

OVER = ("complete", "failed", "canceled")
NAMES = [
    "../../../../tmp/escaped",
    "/etc/passwd",
    "a\0b.wav",
    "n" * 5000,
    "..",
    "‮gnp.wav",
    "<b>&.wav",
    "-rf *",
]


@pytest.mark.parametrize("place", ["filename", "inputId"])
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_leads_anywhere(controller: Controller, worker: Worker, name: str, place: str) -> None:
    body = controller.job("a.wav")
    body["inputs"][0][place] = name
    before = {path for path in worker.home.parent.rglob("*") if "worker" not in path.name}
    reply = worker.post("/v1/jobs", body)
    if place == "inputId" and len(name) > 200:
        assert (reply.status_code, "inputId" in reply.text) == (400, True)
        return
    job = reply.json()["workerJobId"]
    assert worker.reach(job, *OVER)["status"] == "complete"
    wait_for(lambda: not worker.scratch() and not list((worker.state_dir / "results").iterdir()))
    after = {path for path in worker.home.parent.rglob("*") if "worker" not in path.name}
    assert {path.parent for path in after - before} <= {worker.state_dir, worker.home / "cache", worker.home}
    assert not Path("/tmp/escaped").exists()
    assert {r.fields["outputType"] for r in controller.outputs} == {"json", "markdown"}


def test_unknown_fields_mean_nothing(controller: Controller, worker: Worker) -> None:
    body = controller.job("a.wav", shoeSize=43, nested={"deep": [1, {"er": None}]})
    body |= {"colour": "blue", "inputs": [{**body["inputs"][0], "weight": 1e300}]}
    assert worker.reach(worker.begin(body), *OVER)["status"] == "complete"


@pytest.mark.parametrize("depth", [100, 100_000])
def test_json_that_is_nested_too_deep_is_refused(worker: Worker, depth: int) -> None:
    import requests

    headers = {"Authorization": f"Bearer {worker.environ['WORKER_TOKEN']}"}
    body = '{"inputs": ' + "[" * depth + "]" * depth + "}"
    reply = requests.post(f"{worker.url}/v1/jobs", data=body, headers=headers, timeout=30)
    assert reply.status_code == 400
    assert json.loads(reply.text)["error"]["code"] == "INVALID_REQUEST"
    assert worker.get("/v1/ping").status_code == 200


def test_a_redirected_download_is_not_followed(controller: Controller, worker: Worker) -> None:
    elsewhere: list[str] = []

    def redirect(request: object) -> int | None:
        path = str(getattr(request, "path", ""))
        if "elsewhere" in path:
            elsewhere.append(path)
        return 302 if getattr(request, "command", "") == "GET" else None

    controller.interfere = redirect
    status = worker.reach(worker.begin(controller.job("a.wav")), *OVER)
    assert (status["status"], status["error"]["code"]) == ("failed", "DOWNLOAD_FAILED")
    assert "CONTROLLER_BASE_URL" in status["error"]["message"]
    assert elsewhere == []
