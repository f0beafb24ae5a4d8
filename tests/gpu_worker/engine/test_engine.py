"""The engine process: obeys, is ended when it does not, and is replaced."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpu_worker.config import Config, read_config
from gpu_worker.engine import handle as engine_module
from gpu_worker.engine.handle import Engine, Task
from gpu_worker.errors import Canceled, Fault
from gpu_worker.shared.protocol import Options
from tests.gpu_worker.worker import ROOT, wait_for


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    environ = {
        "WORKER_TOKEN": "secret",
        "WORKER_TMP_DIR": str(tmp_path),
        "WORKER_STATE_DIR": str(tmp_path),
        "WORKER_ENGINE": "tests.gpu_worker.engines:Scripted",
    }
    return read_config(environ)


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    running = Engine(config)
    running.open()
    yield running
    running.close()


def task(tmp_path: Path, script: str, name: str = "task") -> Task:
    audio = tmp_path / "audio"
    audio.write_bytes(bytes(16_000 * 4))
    return Task(
        id=name,
        model="tiny.en",
        options=Options(initial_prompt=script).to_wire(),
        audio=audio,
        title="",
        documents={"json": tmp_path / f"{name}.json", "markdown": tmp_path / f"{name}.md"},
    )


def never() -> bool:
    return False


def ignore(_message: dict[str, Any]) -> None:
    pass


def test_an_engine_that_does_not_obey_a_cancel_is_replaced(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "CANCEL_SECONDS", 0.1)
    canceled = threading.Event()
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(engine.recognize, task(tmp_path, "hang"), canceled.is_set, ignore)
        wait_for(lambda: engine.state.is_ready)
        canceled.set()
        with pytest.raises(Canceled):
            hanging.result(30)
    assert engine.recognize(task(tmp_path, "", "next"), never, ignore)["event"] == "done"


def test_the_neighbour_of_a_canceled_job_starts_again_in_the_new_engine(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "CANCEL_SECONDS", 0.1)
    canceled = threading.Event()
    heard: list[dict[str, Any]] = []
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(engine.recognize, task(tmp_path, "hang", "bad"), canceled.is_set, ignore)
        neighbour = pool.submit(engine.recognize, task(tmp_path, "slow", "good"), never, heard.append)
        wait_for(lambda: heard)
        canceled.set()
        with pytest.raises(Canceled):
            hanging.result(30)
        assert neighbour.result(30)["event"] == "done"
    assert [m["stage"] for m in heard if m["event"] == "stage"].count("transcribing") == 2


def test_a_killed_engine_fails_its_task_and_says_how(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(Fault, match="SIGKILL") as crash:
        engine.recognize(task(tmp_path, "crash"), never, ignore)
    assert crash.value.code == "ENGINE_CRASHED"
    assert engine.recognize(task(tmp_path, "", "next"), never, ignore)["event"] == "done"


def test_an_engine_that_cannot_start_fails_the_job_instead_of_waiting(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "LONGEST_RESTART_WAIT", 0.05)
    broken = Engine(replace(config, engine="tests.gpu_worker.engines:Missing"))
    broken.open()
    try:
        with pytest.raises(Fault, match="cannot start") as failure:
            broken.recognize(task(tmp_path, ""), never, ignore)
        assert failure.value.code == "ENGINE_CRASHED"
    finally:
        broken.close()


def test_a_full_disk_is_named(engine: Engine, tmp_path: Path) -> None:
    full = replace(
        task(tmp_path, ""), documents={"json": Path("/dev/full"), "markdown": tmp_path / "page.md"}
    )
    with pytest.raises(Fault) as failure:
        engine.recognize(full, never, ignore)
    assert failure.value.code == "WORKER_DISK_FULL"


def test_the_engine_process_is_not_told_the_tokens(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_TOKEN", "the-worker-token")
    monkeypatch.setenv("HF_TOKEN", "the-hub-token")
    engine = Engine(config)
    engine.open()
    try:
        wait_for(lambda: engine.state.is_ready)
        pid = json.loads((config.state_dir / "engine.pid").read_text())["pid"]
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        engine.close()
    assert b"the-worker-token" not in environ
    assert b"the-hub-token" in environ  # it downloads the speaker models
