"""The documents held against the program: what they name exists, what they show works."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPMessage
from pathlib import Path
from urllib.error import URLError

import pytest
from django.core.management import get_commands

from gpu_worker.shared import transcript
from gpu_worker.shared.protocol import OUTPUT_TYPES

ROOT = Path(__file__).resolve().parent.parent
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text()
FORMAT = (ROOT / "docs" / "transcript-format.md").read_text()
OF_OTHERS = {
    "POSTGRES_PASSWORD",
    "GIT_COMMIT",
    "PUBLIC_IPADDR",
    "VAST_TCP_PORT_8477",
    "RUNPOD_POD_ID",
    "POD_ID",
}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def documented_variables() -> set[str]:
    return set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


# Deployment --------------------------------------------------------------------------------------
def test_deployment_names_only_variables_that_the_program_reads() -> None:
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", DEPLOYMENT))
    assert len(named) > 10
    assert named - OF_OTHERS <= documented_variables()


def test_deployment_names_every_variable_of_a_worker() -> None:
    sources = (ROOT / "gpu_worker" / "config.py", ROOT / "gpu_worker" / "server" / "app.py")
    read = {
        name
        for source in sources
        for name in re.findall(r'environ(?:, |\.get\()"([A-Z][A-Z_]+)"', source.read_text())
        if not re.match("HTTP_|PATH_|CONTENT_|QUERY_", name)  # of a request, by WSGI
    }
    assert {"WORKER_TOKEN", "HF_TOKEN", "GIT_COMMIT", "WORKER_REHEARSAL_SPEED"} <= read
    assert {name for name in read if f"`{name}`" not in DEPLOYMENT} == set()


def test_every_command_of_the_project_in_the_documents_exists() -> None:
    shell = "\n".join(blocks(DEPLOYMENT, "sh"))
    targets = set(re.findall(r"^make ([\w-]+)$", shell, re.MULTILINE))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets and targets <= made
    commands = set(re.findall(r"manage\.py (\w+)", DEPLOYMENT))
    assert commands and commands <= get_commands().keys()
    modules = set(re.findall(r"-m (gpu_\w+)", DEPLOYMENT))
    assert modules == {"gpu_worker"} and (ROOT / "gpu_worker" / "__main__.py").exists()


def test_every_file_and_section_that_deployment_names_is_there() -> None:
    files = set(re.findall(r"\b(?:docker|requirements)/[\w.-]+\w", DEPLOYMENT))
    assert {"docker/compose.yaml", "requirements/worker.txt"} <= files
    for file in files:
        assert (ROOT / file).exists(), file
    headings = re.findall(r"^#+ (.+)$", DEPLOYMENT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", DEPLOYMENT):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert (ROOT / "docs" / target).exists(), target


def test_the_shown_env_file_has_every_secret_that_compose_demands() -> None:
    composed = "".join(path.read_text() for path in sorted((ROOT / "docker").glob("compose*.yaml")))
    demanded = set(re.findall(r"\$\{(\w+):\?", composed))
    (shown,) = (block for block in blocks(DEPLOYMENT, "sh") if "cat > .env" in block)
    written = set(re.findall(r"^(\w+)=\$\(secret\)$", shown, re.MULTILINE))
    assert demanded == written


def test_the_commands_that_make_the_env_file_make_strong_secrets(tmp_path: Path) -> None:
    (shown,) = (block for block in blocks(DEPLOYMENT, "sh") if "cat > .env" in block)
    script = shown.split("docker compose")[0]
    subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, check=True)
    values = [line.split("=", 1)[1] for line in (tmp_path / ".env").read_text().splitlines()]
    assert len(set(values)) == 4 and all(re.fullmatch(r"[0-9a-f]{64}", value) for value in values)


@pytest.mark.parametrize("block", blocks(DEPLOYMENT, "sh"))
def test_every_shown_command_is_sound_shell(block: str) -> None:
    subprocess.run(["sh", "-n", "-c", block], check=True)


def test_the_shown_check_of_a_worker_is_answered(tmp_path: Path) -> None:
    """The worker's `--check` as the page shows it, on a machine without weights or controller settings."""
    (shown,) = (block for block in blocks(DEPLOYMENT, "sh") if "--check" in block)
    (command,) = (line for line in shown.splitlines() if "--check" in line)
    words = shlex.split(command, comments=True)
    assert words[0] == ".venv/bin/python"
    own = {"WORKER_TMP_DIR": str(tmp_path / "tmp"), "HOME": str(tmp_path), "PATH": os.defpath}
    without = subprocess.run(
        [sys.executable, *words[1:]], cwd=ROOT, env=own, capture_output=True, text=True, check=False
    )
    assert without.returncode == 2 and "WORKER_TOKEN is not set" in without.stderr
    assert re.findall(r"^export (\w+)=", shown, re.MULTILINE) == [
        "WORKER_TOKEN",
        "WORKER_MODEL",
        "CONTROLLER_ORIGIN",
    ]


# Behind nginx ------------------------------------------------------------------------------------
def nginx_directives(name: str) -> list[str]:
    (block,) = blocks(DEPLOYMENT, "nginx")
    return re.findall(rf"^\s*{name}\s+(.+?);", block, re.MULTILINE)


def test_nginx_lets_the_largest_upload_through() -> None:
    default = re.search(r"^# MAX_UPLOAD_MB=(\d+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    (limit,) = nginx_directives("client_max_body_size")
    assert default and int(limit.removesuffix("m")) > int(default[1])


def test_a_page_behind_nginx_knows_that_it_came_by_https(tmp_path: Path) -> None:
    sent = dict(line.split() for line in nginx_directives("proxy_set_header"))
    headers = {name: value.replace("$host", "transcribe.example.org") for name, value in sent.items()}
    (passed_to,) = nginx_directives("proxy_pass")
    assert passed_to == "http://127.0.0.1:8476"
    (name,) = nginx_directives("server_name")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        "SECRET_KEY": "k3y-for-the-nginx-test-0123456789-abcdefgh",
        "CONTROLLER_BASE_URL": f"https://{name}",
        "DATA_DIR": str(tmp_path),
        "WEB_PORT": str(port),
        "PATH": os.defpath,
    }
    with subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}/accounts/login/"
            by_https = answer_headers(url, headers | {"X-Forwarded-Proto": "https"}, process)
            by_http = answer_headers(url, headers | {"X-Forwarded-Proto": "http"}, process)
        finally:
            process.terminate()
    assert "max-age" in by_https["Strict-Transport-Security"]
    assert by_http["Strict-Transport-Security"] is None
    assert "Secure" in by_https["Set-Cookie"]


def answer_headers(url: str, headers: dict[str, str], process: subprocess.Popen[bytes]) -> HTTPMessage:
    request = urllib.request.Request(url, headers=headers)
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the web process ended at its start"
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                found: HTTPMessage = answer.headers
                return found
        except (URLError, OSError):
            assert time.monotonic() < deadline, f"nothing answers at {url}"
            time.sleep(0.1)


# The transcript ----------------------------------------------------------------------------------
def example() -> dict[str, object]:
    (shown,) = blocks(FORMAT, "json")
    document: dict[str, object] = json.loads(shown)
    return document


def test_the_transcript_example_is_what_a_reader_makes_of_it() -> None:
    assert transcript.parse(example()) == example()


@pytest.mark.parametrize(
    "kind", [transcript.Transcript, transcript.Segment, transcript.Word, transcript.Turn]
)
def test_every_field_of_the_transcript_is_explained(kind: type) -> None:
    explained = set(re.findall(r"`(\w+)`", FORMAT))
    assert set(kind.__annotations__) <= explained


def test_the_example_shows_every_field() -> None:
    document = transcript.parse(example())
    assert set(document) == set(transcript.Transcript.__annotations__)
    fields = {field for segment in document["segments"] for field in segment}
    assert fields == set(transcript.Segment.__annotations__)
    assert set(document["segments"][0]["words"][0]) == set(transcript.Word.__annotations__)


def test_what_the_page_says_may_be_left_out_may_be_left_out() -> None:
    document = transcript.parse({"segments": [{"start": 2, "end": 1, "text": " Yes.", "speaker": "A"}]})
    assert document["text"] == "Yes."
    assert document["duration"] == document["segments"][0]["end"] == 2
    assert document["segments"][0]["words"] == []
    assert document["speakers"] == ["A"]
    scored = {"start": 0, "text": "a", "words": [{"word": "a", "start": 0, "score": 0.5}, {"word": "b"}]}
    (word,) = transcript.parse({"segments": [scored]})["segments"][0]["words"]
    assert word["probability"] == 0.5


def test_the_shown_page_to_read_is_the_one_that_is_written() -> None:
    (shown,) = blocks(FORMAT, "markdown")
    written = transcript.to_markdown(transcript.parse(example()), "The old mill", with_speakers=True)
    assert written.strip() == shown.strip()


def test_every_output_type_is_explained() -> None:
    assert re.findall(r"^\| `([\w-]+)` \|", FORMAT.split("## Other outputs")[1], re.MULTILINE) == [
        "json",
        "markdown",
        "speaker-markdown",
        "diarization-json",
    ]
    assert set(OUTPUT_TYPES) == {"json", "markdown", "speaker-markdown", "diarization-json"}
