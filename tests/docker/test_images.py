"""The two images held against the code: no engine is needed to see that what they name is there and works."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from pytest_django.live_server_helper import LiveServer

from gpu_worker.config import read_config
from remoteworker.tasks import dispatch_queued
from tests.docker.reading import (
    FILES,
    ROOT,
    context_copies,
    documented,
    environment_of,
    image_environment,
    last_stage,
    words_of,
)
from tests.ports import free_port


@pytest.mark.parametrize("service", FILES)
def test_everything_an_image_copies_is_there_and_reaches_the_builder(service: str) -> None:
    allowed = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for sources, _destination in context_copies(service):
        for source in sources:
            assert (ROOT / source).exists(), f"{service} copies {source}, which is not there"
            path = Path(source)
            reachable = {str(path), *map(str, path.parents)} & allowed
            assert reachable, f".dockerignore keeps {source} from the builder"


def test_nothing_but_what_images_copy_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines, "all is kept out, then some let in"
    copied = [source for service in FILES for sources, _ in context_copies(service) for source in sources]
    for line in lines:
        if line.startswith("!"):
            assert any(source.startswith(line[1:].rstrip("/")) for source in copied), (
                f"{line} is copied by nobody"
            )


def test_the_worker_image_holds_its_folder_and_its_requirements_only() -> None:
    sources = [source for sources, _ in context_copies("worker") for source in sources]
    assert sorted(sources) == ["gpu_worker/", "requirements/worker.txt"]


def test_the_controller_image_holds_what_both_sides_share_of_the_worker_only() -> None:
    sources = {source for sources, _ in context_copies("controller") for source in sources}
    assert {source for source in sources if source.startswith("gpu_worker")} == {
        "gpu_worker/__init__.py",
        "gpu_worker/shared/",
    }
    assert "requirements/controller.txt" in sources
    assert "requirements/worker.txt" not in sources


def test_the_controller_image_reads_recordings_with_that_alone(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "numpy.py").write_text("raise ImportError('not in requirements/controller.txt')")
    for sources, _destination in context_copies("controller"):
        for source in (source for source in sources if source.startswith(("gpu_worker", "jobs"))):
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
            (app / source).parent.mkdir(exist_ok=True)
            copy(ROOT / source, app / source)
    program = """
import sys
from pathlib import Path
from jobs.media.transcode import copy
from jobs.media.waveform import looks
recording, target = map(Path, sys.argv[1:])
print(round(next(looks([recording])).seconds), copy(recording, target).problem or "copied")
"""
    recording = ROOT / "bulktranscribe/demo/recording.ogg"
    command = [sys.executable, "-c", program, str(recording), str(tmp_path / "copy.webm")]
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["50", "copied"]


@pytest.mark.parametrize("service", FILES)
def test_an_image_ends_as_a_user_of_its_own(service: str) -> None:
    (user,) = words_of(service, "USER")
    made = " ".join(words_of(service, "RUN"))
    assert re.search(rf"useradd [^&]*--uid [1-9]\d+ [^&]*\b{user}\b", made)
    after = [i.name for i in last_stage(service)][[i.name for i in last_stage(service)].index("USER") + 1 :]
    assert not {"RUN", "COPY", "ADD", "USER"} & set(after)


def test_the_worker_stands_on_the_cuda_that_its_torch_was_built_for() -> None:
    base = last_stage("worker")[0].words
    pins = (ROOT / "requirements/worker.txt").read_text()
    toolkit = re.search(r"^cuda-toolkit==([\d.]+)", pins, re.MULTILINE)
    assert toolkit
    assert base.startswith(f"nvidia/cuda:{toolkit[1]}-")


@pytest.mark.parametrize("service", FILES)
def test_an_image_sets_only_variables_that_the_program_reads(service: str) -> None:
    of_python = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    of_ping = set(
        re.findall(r'environ\.get\("([A-Z_]+)"', (ROOT / "gpu_worker" / "server" / "app.py").read_text())
    )
    assert image_environment(service).keys() - of_python <= documented().keys() | of_ping


def test_the_controllers_image_is_complete(tmp_path: Path) -> None:
    """The copied files alone, in a folder of their own, pass Django's checks and load Celery's tasks."""
    app = lay_out("controller", tmp_path / "app")
    environment = environment_of("controller") | {"DATA_DIR": str(tmp_path / "data"), "PATH": os.defpath}
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'whisper'], None));"
        "from bulktranscribe.celery import app; app.loader.import_default_modules(); print(*app.tasks)"
    )
    for arguments in (["manage.py", "check"], ["manage.py", "serve", "--help"], ["-c", program]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=app,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "remoteworker.tasks.dispatch_queued" in done.stdout


def lay_out(service: str, app: Path) -> Path:
    """Copy what the image's last stage copies out of the project, as COPY would lay it out under /app."""
    for sources, destination in context_copies(service):
        if destination.startswith("/"):
            continue
        for source in sources:
            target = app / destination
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, target)
    return app


def test_the_images_start_the_servers_on_the_ports_of_the_protocol() -> None:
    assert json.loads(words_of("controller", "CMD")[0]) == ["python", "manage.py", "serve"]
    assert json.loads(words_of("worker", "CMD")[0]) == ["python", "-m", "gpu_worker"]
    assert words_of("controller", "EXPOSE") == ["8476"] == [image_environment("controller")["WEB_PORT"]]
    assert words_of("worker", "EXPOSE") == ["8477"] == [image_environment("worker")["WORKER_PORT"]]
    assert read_config({"WORKER_TOKEN": "x"}).port == 8477
    assert documented()["WEB_PORT"] == "8476"


@pytest.mark.django_db
def test_the_controllers_health_check_asks_the_running_server(live_server: LiveServer) -> None:
    port = int(live_server.url.rsplit(":", 1)[1])
    done = subprocess.run(health_command("controller", port), capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "HTTP Error 503" in done.stderr, "no tick yet, so it is not well"
    dispatch_queued()
    subprocess.run(health_command("controller", port), check=True)


@pytest.fixture
def worker_port(tmp_path: Path) -> Iterator[int]:
    """A worker as its image starts it: only its own files, its own variables."""
    app = lay_out("worker", tmp_path / "app")
    port = free_port()
    own = {
        "WORKER_PORT": str(port),
        "WORKER_TMP_DIR": str(tmp_path / "worker" / "tmp"),
        "HOME": str(tmp_path),
    }
    environment = environment_of("gpu-worker") | own | {"WORKER_HOST": "127.0.0.1", "PATH": os.defpath}
    command = [sys.executable, *json.loads(words_of("worker", "CMD")[0])[1:]]
    with subprocess.Popen(command, cwd=app, env=environment) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield port
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the worker ended at its start"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


def test_the_workers_health_check_asks_the_running_worker(worker_port: int) -> None:
    subprocess.run(health_command("worker", worker_port), check=True)
    nobody = subprocess.run(health_command("worker", free_port()), capture_output=True, check=False)
    assert nobody.returncode != 0


def health_command(service: str, port: int) -> list[str]:
    """Return the image's health check, aimed at another port of this machine."""
    (words,) = words_of(service, "HEALTHCHECK")
    command: list[str] = json.loads(words.split("CMD", 1)[1])
    own = {"controller": 8476, "worker": 8477}[service]
    assert command[0] == "python" and f"127.0.0.1:{own}" in command[2]
    return [sys.executable, *command[1:2], command[2].replace(f"127.0.0.1:{own}", f"127.0.0.1:{port}")]
