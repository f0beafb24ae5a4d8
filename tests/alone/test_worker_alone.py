"""The worker as it is put on a rented box: its folder, its requirements, an environment of its own, curl."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gpu_worker.controller import TOKEN
from tests.gpu_worker.worker import ROOT, Worker

pytestmark = pytest.mark.alone
PAGE = (ROOT / "docs" / "protocol.md").read_text("utf-8")
DEMO = ROOT / "bulktranscribe" / "demo" / "recording.ogg"
INSTALLED = ("worker.txt", "starter.txt")
PATIENCE = 600.0  # seconds for torch and pyannote.audio to be fetched and unpacked


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing of this project but what the deployment page says to copy."""
    folder = tmp_path_factory.mktemp("box")
    shutil.copytree(ROOT / "gpu_worker", folder / "gpu_worker", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements").mkdir()
    for name in INSTALLED:
        shutil.copy(ROOT / "requirements" / name, folder / "requirements")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    install(folder, "-r", "requirements/worker.txt")
    install(folder, "--no-deps", "-r", "requirements/starter.txt")
    return folder


def install(folder: Path, *what: str) -> None:
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, *what], cwd=folder, check=True, timeout=PATIENCE)


def test_a_job_is_done_with_curl_alone(box: Path, tmp_path: Path) -> None:
    (script,) = re.findall(r"^```bash\n(set -eu.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    shutil.copy(DEMO, tmp_path / "recording.ogg")
    worker = Worker(tmp_path / "home", WORKER_ENGINE="reference", WORKER_MODEL="tiny.en")
    worker.python, worker.cwd = box / "venv" / "bin" / "python", box
    with worker:
        named = {"WORKER": worker.url, "TOKEN": TOKEN, "FILE": "recording.ogg"}
        subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env={**os.environ, **named}, check=True, timeout=240
        )
    document = json.loads((tmp_path / "transcript.json").read_text("utf-8"))
    assert len(document["text"].split()) > 100
    assert document["speakers"] == ["SPEAKER_00", "SPEAKER_01"]
    assert document["engine"] == "reference"


def test_nothing_of_the_controller_is_installed(box: Path) -> None:
    listed = subprocess.run(
        [box / "venv" / "bin" / "python", "-m", "pip", "list", "--format=freeze"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.lower()
    assert "waitress==" in listed
    assert not re.search(r"^(django|celery|redis|psycopg)\b", listed, re.MULTILINE)


def test_check_tells_a_person_that_the_worker_is_sound(box: Path, tmp_path: Path) -> None:
    folders = {"WORKER_TMP_DIR": str(tmp_path / "tmp"), "WORKER_CACHE_DIR": str(tmp_path / "cache")}
    checked = subprocess.run(
        [box / "venv" / "bin" / "python", "-m", "gpu_worker", "--check"],
        cwd=box,
        env={**os.environ, "WORKER_TOKEN": TOKEN, "WORKER_MODEL": "tiny.en", **folders},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    assert "WRONG" not in checked.stdout
    assert "Speakers are identified by segmentation-3.0 + CAM++" in checked.stdout
