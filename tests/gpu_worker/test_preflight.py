"""What is looked at on a box, and what a person is told to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpu_worker import preflight as looking
from gpu_worker.config import read_config
from gpu_worker.engine.handle import EngineState
from tests.gpu_worker.worker import ROOT, Worker


def look(tmp_dir: Path) -> looking.Preflight:
    config = read_config({"WORKER_TOKEN": "t", "WORKER_TMP_DIR": str(tmp_dir), "WORKER_MAX_FILE_MB": "1"})
    return looking.preflight(config, EngineState())


def test_a_sound_machine_passes_and_its_packages_are_named(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert found["checks"]["packages"]["ok"] and "torch 2." in found["checks"]["packages"]["message"]
    assert found["checks"]["disk"]["ok"]


def test_releases_that_do_not_fit_together_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "version", _mismatched)
    found = look(tmp_path)
    assert "torch 2.12.0, torchaudio 2.11.0" in found["errors"]["packages"]
    assert "requirements/worker.txt" in found["errors"]["packages"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert "WORKER_TMP_DIR" in look(file)["errors"]["disk"]


@pytest.mark.parametrize(
    ("origin", "code", "line"),
    [
        ("", 0, "ok     controller"),
        ("http://127.0.0.1:9", 1, "WRONG  controller   http://127.0.0.1:9 is unreachable from here"),
    ],
)
def test_check_prints_a_line_a_part_and_ends_with_a_code(
    tmp_path: Path, origin: str, code: int, line: str
) -> None:
    box = Worker(tmp_path, CONTROLLER_ORIGIN=origin, WORKER_ENGINE="rehearsal")
    ran = subprocess.run(
        [sys.executable, "-m", "gpu_worker", "--check"],
        cwd=ROOT,
        env={**os.environ, **box.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, line in ran.stdout) == (code, True), ran.stdout
    parts = [row.split()[1] for row in ran.stdout.splitlines()]
    assert parts == ["gpu", "weights", "disk", "packages", "decoder", "controller", "diarization"]


def _mismatched(name: str) -> str:
    return "2.12.0+cu130" if name == "torch" else "2.11.0"
