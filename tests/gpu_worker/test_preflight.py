"""What is looked at on a box, and what a person is told to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu_worker import preflight as looking
from gpu_worker.config import read_config
from gpu_worker.engine import EngineState


def look(tmp_dir: Path) -> looking.Preflight:
    config = read_config({"WORKER_TOKEN": "t", "WORKER_TMP_DIR": str(tmp_dir), "WORKER_MAX_FILE_MB": "1"})
    return looking.preflight(config, EngineState())


def test_a_sound_box_passes_and_its_packages_are_named(tmp_path: Path) -> None:
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


def _mismatched(name: str) -> str:
    return "2.12.0+cu130" if name == "torch" else "2.11.0"
