"""docs/protocol.md held against both sides: its examples, its paths, its codes."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import resolve, reverse

from bulktranscribe.management.commands import draw_errors
from gpu_worker.config import read_config
from gpu_worker.engine.handle import Engine
from gpu_worker.jobs.journal import Journal
from gpu_worker.jobs.registry import JobStore
from gpu_worker.jobs.runner import Runner
from gpu_worker.server.app import App
from gpu_worker.server.metrics import Metrics
from gpu_worker.shared import protocol
from gpu_worker.shared.protocol import parse_complete, parse_job_request, parse_job_status
from jobs.models import JobInput
from remoteworker import urls
from remoteworker.attempts import job_requests
from remoteworker.models import Attempt, Worker
from remoteworker.signing import HASH_CHARACTERS
from remoteworker.workers import health
from tests.conftest import WORKER_TOKEN
from tests.gpu_worker.controller import TOKEN as WORKER_SECRET
from tests.gpu_worker.sounds import tone
from tests.gpu_worker.worker import Worker as RealWorker
from tests.steps import claim

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text()
UUID = "6f6f4f0a-5a39-4d43-8f7d-5f2f0f7f3c21"
TOKEN = "a-token-for-this-page"
OUTPUTS = "POST /api/jobs/<job_id>/worker/outputs"
COMPLETE = "POST /api/jobs/<job_id>/worker/complete"

Ask = Callable[[str, str], tuple[int, Any]]


def sections() -> dict[str, str]:
    """Return the endpoints, such as "GET /health", each with the text below its heading."""
    parts = re.split(r"^### ((?:GET|HEAD|POST|PUT|DELETE) .+)$", PAGE, flags=re.MULTILINE)
    texts = (re.split(r"^#", text, flags=re.MULTILINE)[0] for text in parts[2::2])
    return dict(zip(map(unescape, parts[1::2]), texts, strict=True))


def examples(endpoint: str) -> list[Any]:
    return [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", sections()[endpoint], re.M | re.S)
    ]


def shape(value: Any) -> Any:
    """The names of an object's fields, all the way down."""
    return {key: shape(entry) for key, entry in value.items()} if isinstance(value, dict) else None


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the real application of a worker whose engine was not started."""
    folders = {f"WORKER_{name}_DIR": str(tmp_path / name) for name in ("TMP", "STATE", "CACHE")}
    config = read_config({"WORKER_TOKEN": TOKEN, **folders})
    config.state_dir.mkdir()
    config.tmp_dir.mkdir()
    journal, engine, meter = Journal(config.state_dir), Engine(config), Metrics()
    runner = Runner(config, journal, engine, tmp_path, meter)
    app = App(config, JobStore(config, journal, engine, runner, meter), engine, runner.engine_slots, meter)

    def answer(method: str, path: str) -> tuple[int, Any]:
        said: list[str] = []

        def start_response(status: str, *_: object) -> Callable[[bytes], object]:
            said.append(status)
            return said.append  # type: ignore[return-value]

        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO()}
        environ["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
        body = b"".join(app(environ, start_response))
        return int(said[0].split()[0]), json.loads(body) if body.startswith(b"{") else None

    return answer


# Paths -------------------------------------------------------------------------------------------


def test_every_endpoint_of_the_worker_is_on_the_page_and_no_other() -> None:
    source = (ROOT / "gpu_worker" / "server" / "app.py").read_text()
    cases = re.findall(r'case \("([A-Z]+)", \(("(?:v1|metrics)".*?),?\)\):', source)
    routes = {f"{method} /" + "/".join(_part(part) for part in path.split(", ")) for method, path in cases}
    described = {name for name in sections() if " /api/" not in name}
    assert described == routes | {"GET /health"}


def _part(part: str) -> str:
    names = {"job_id": "<id>", "input_id": "<input_id>", "kind": "<type>"}
    return part.strip('"') if part.startswith('"') else names[part]


def test_the_worker_answers_at_every_path_of_the_page(ask: Ask) -> None:
    for name in (name for name in sections() if " /api/" not in name):
        status, body = ask(*re.sub("<[a-z_]+>", "unknown", name).split(" "))
        assert status in (200, 400, 404) and body != {"error": "Not found"}, name


def test_every_endpoint_of_the_controller_is_on_the_page_and_no_other() -> None:
    described = [name.split(" ")[1] for name in sections() if " /api/" in name]
    matched = [str(resolve(re.sub(r"<\w+>", UUID, path)).url_name) for path in described]
    assert sorted(matched) == sorted(str(pattern.name) for pattern in urls.urlpatterns)


def test_the_lines_with_curl_transcribe_a_file(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```bash\n(set -eu.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    recording = tmp_path / "some recording.wav"
    recording.write_bytes(tone(70.0))
    engine = {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": "1000"}
    with RealWorker(tmp_path / "worker", **engine) as worker:
        named = {"WORKER": worker.url, "TOKEN": WORKER_SECRET, "FILE": str(recording)}
        environ = {**os.environ, **named}
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, timeout=60, check=False
        )
        assert worker.scratch() == []
    assert ran.returncode == 0, ran.stderr
    assert b'"status": "complete"' in ran.stdout
    document = json.loads((tmp_path / "transcript.json").read_text())
    assert round(document["duration"]) == 70
    assert document["speakers"]
    assert (tmp_path / "transcript.speaker-markdown").read_text().startswith("# recording")


# Examples ----------------------------------------------------------------------------------------


def test_the_shown_job_is_understood_whole() -> None:
    request, _answer = examples("POST /v1/jobs")
    assert parse_job_request(request).to_wire() == request


def test_the_shown_job_has_what_this_controller_sends(job_input: JobInput, worker: Worker) -> None:
    (attempt,) = claim(worker, 1)
    sent = job_requests.job_request(attempt, worker).to_wire()
    shown, _answer = examples("POST /v1/jobs")
    assert shape(shown) == shape(sent)
    assert shape(shown["inputs"][0]) == shape(sent["inputs"][0])
    assert len(shown["controllerSessionHash"]) == len(sent["controllerSessionHash"]) == HASH_CHARACTERS


@pytest.mark.parametrize(
    "field",
    ["controllerJobId", "callbackUrl", "outputsUploadUrl", "inputs", "inputs.inputId", "inputs.downloadUrl"],
)
def test_what_the_page_calls_required_is_required(field: str) -> None:
    request, _answer = examples("POST /v1/jobs")
    name, _, nested = field.partition(".")
    (request[name][0] if nested else request).pop(nested or name)
    with pytest.raises(protocol.InvalidMessage, match=nested or name):
        parse_job_request(request)


def test_what_the_page_does_not_call_required_may_be_left_out() -> None:
    request, _answer = examples("POST /v1/jobs")
    (entry,) = request["inputs"]
    least = {name: request[name] for name in ("controllerJobId", "callbackUrl", "outputsUploadUrl")}
    files = [{name: entry[name] for name in ("inputId", "downloadUrl")}]
    assert parse_job_request({**least, "inputs": files}).options == protocol.Options()


def test_another_version_of_the_protocol_is_refused_by_the_code_that_the_page_names() -> None:
    request, _answer = examples("POST /v1/jobs")
    with pytest.raises(protocol.InvalidMessage) as refused:
        parse_job_request({**request, "protocolVersion": request["protocolVersion"] + 1})
    assert refused.value.code in PAGE


def test_the_shown_status_is_understood_and_shows_every_field() -> None:
    (status,) = examples("GET /v1/jobs/<id>")
    assert parse_job_status(status) == status
    assert status.keys() == protocol.JobStatus.__annotations__.keys()
    assert status["progress"].keys() == protocol.Progress.__annotations__.keys()
    for word in (*protocol.STAGES, *protocol.TERMINAL_STATUSES):
        assert f"`{word}`" in sections()["GET /v1/jobs/<id>"]


def test_the_shown_end_of_a_job_is_understood() -> None:
    message, _answer = examples(COMPLETE)
    assert parse_complete(message) == message
    assert message.keys() == protocol.CompleteMessage.__annotations__.keys()


@pytest.mark.parametrize("endpoint", ["GET /health", "GET /v1/ping"])
def test_the_worker_answers_in_the_shape_that_is_shown(ask: Ask, endpoint: str) -> None:
    (shown,) = examples(endpoint)
    status, answer = ask(*endpoint.split(" "))
    assert (status, shape(answer)) == (200, shape(shown))


def test_preflight_looks_at_what_is_shown(ask: Ask) -> None:
    (shown,) = examples("GET /v1/preflight")
    _status, answer = ask("GET", "/v1/preflight")
    assert answer.keys() == shown.keys()
    assert shape(answer["checks"]) == shape(shown["checks"])
    assert shown["versions"].keys() <= answer["versions"].keys()
    assert shown["errors"] == {n: check["message"] for n, check in shown["checks"].items() if not check["ok"]}


@pytest.mark.django_db
def test_the_controller_tells_of_its_worker_in_the_shape_that_is_shown(settings: LazySettings) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    (shown,) = examples("GET /api/remote-worker/status")
    box = Worker(name="box", kind=Worker.Kind.REMOTE, url="https://box.example", is_connected=True)
    box.capabilities = examples("GET /v1/ping")[0]
    box.latency_ms = shown["latencyMs"]
    box.save()
    assert {**health.status(), "lastPingAt": shown["lastPingAt"]} == shown


def test_documents_and_the_end_of_a_job_are_answered_as_shown(client: Client, attempt: Attempt) -> None:
    shown, shown_answer = examples(COMPLETE)
    outputs = [{**output, "inputId": str(attempt.job_input_id)} for output in shown["outputs"]]
    for output in outputs:
        fields = {"workerJobId": "w-1", "inputId": output["inputId"], "outputType": output["type"]}
        file = SimpleUploadedFile(output["filename"], b'{"segments": []}')
        answer = post(
            client, reverse("worker-outputs", args=[attempt.job_input.job_id]), {**fields, "file": file}
        )
        assert shape(answer) == shape(examples(OUTPUTS)[0])
    ids = {"workerJobId": "w-1", "controllerJobId": str(attempt.job_input.job_id)}
    body = json.dumps({**shown, **ids, "outputs": outputs})
    url = reverse("worker-complete", args=[attempt.job_input.job_id])
    assert post(client, url, body, content_type="application/json") == shown_answer


def post(client: Client, url: str, body: Any, content_type: str = MULTIPART_CONTENT) -> Any:
    answer = client.post(url, body, content_type, headers={"authorization": f"Bearer {WORKER_TOKEN}"})
    assert answer.status_code == 200, answer.content
    return answer.json()


# Codes -------------------------------------------------------------------------------------------


def test_the_tables_of_failure_codes_are_the_protocols() -> None:
    call_command("draw_errors", check=True)
    for table in (draw_errors.codes(), draw_errors.remedies()):
        assert re.findall(r"^\| `(\w+)` \|", table, re.M) == list(protocol.ERRORS)


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(CommandError, match="found 0"):
        draw_errors.with_table("# A page", draw_errors.codes())


def test_every_code_that_the_page_mentions_exists() -> None:
    source = "".join(
        path.read_text()
        for path in (
            *(ROOT / "gpu_worker" / "server").glob("*.py"),
            ROOT / "remoteworker" / "views.py",
        )
    )
    settings = (ROOT / ".env.example").read_text()
    for code in set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE)) - {"HEAD", "WORKER", "TOKEN", "FILE"}:
        assert code in protocol.ERRORS or f'"{code}"' in source or f"{code}=" in settings, code
