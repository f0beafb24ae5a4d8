"""Real speech through the real worker, with tiny.en."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jiwer
import pytest
import requests
from whisper.normalizers import EnglishTextNormalizer

from gpu_worker.shared.transcript import Transcript, parse
from tests.gpu_worker.controller import Controller
from tests.gpu_worker.jobs.test_jobs import OVER
from tests.gpu_worker.sounds import silence
from tests.gpu_worker.worker import ROOT, Worker, wait_for

pytestmark = pytest.mark.weights

DEMO = ROOT / "bulktranscribe" / "demo"
REFERENCE = "gpu_worker.asr.openai_whisper:OpenAIWhisper"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with Worker(tmp_path_factory.mktemp("real"), WORKER_ENGINE=REFERENCE) as running:
        yield running


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    files = {"demo.ogg": (DEMO / "recording.ogg").read_bytes(), "quiet.wav": silence(20)}
    with Controller(files=files) as running:
        yield running


def run(worker: Worker, controller: Controller, *names: str, **options: Any) -> list[Transcript]:
    """Transcribe these files; return the documents."""
    before = len(controller.outputs)
    job = worker.begin(controller.job(*names, **options), key=json.dumps([names, options]))
    status = worker.reach(job, *OVER)
    assert status["status"] == "complete", status
    sent = [r.fields for r in controller.outputs[before:] if r.fields["outputType"] == "json"]
    return [parse(json.loads(fields["file"])) for fields in sent]


def spoken() -> str:
    lines = (DEMO / "recording.txt").read_text().splitlines()
    return " ".join(line.split(":", 1)[1] for line in lines if ":" in line)


@pytest.mark.smoke
def test_the_demo_recording_comes_out_right_with_times(worker: Worker, controller: Controller) -> None:
    [document] = run(worker, controller, "demo.ogg")
    normal = EnglishTextNormalizer()
    assert jiwer.wer(normal(spoken()), normal(document["text"])) <= 0.15
    assert (document["language"], document["engine"], document["model"]) == ("en", "reference", "tiny.en")
    assert document["modelSource"] == "starter"
    words = [word for segment in document["segments"] for word in segment["words"]]
    assert "".join(word["word"] for word in words).split() == document["text"].split()
    assert all(a["start"] <= b["start"] and a["end"] <= b["start"] + 0.5 for a, b in pairwise(words))
    assert all(0 <= word["start"] <= word["end"] <= document["duration"] for word in words)
    assert all(0 < word["probability"] <= 1 for word in words)


def test_silence_gives_an_empty_transcript_and_no_words(worker: Worker, controller: Controller) -> None:
    [document] = run(worker, controller, "quiet.wav")
    assert (document["text"], document["segments"], document["duration"]) == ("", [], 20.0)


def test_words_are_left_out_where_they_are_not_wanted(worker: Worker, controller: Controller) -> None:
    [document] = run(
        worker, controller, "demo.ogg", wordTimestamps=False, vadEnabled=False, language="de", hotwords="mill"
    )
    assert document["segments"]
    assert all(segment["words"] == [] for segment in document["segments"])
    assert document["language"] == "en"
    assert [notice["code"] for notice in document["warnings"]] == ["LANGUAGE_IGNORED"]


def test_the_web_process_never_loads_torch(worker: Worker) -> None:
    ping = wait_for(lambda: (p := worker.get("/v1/ping").json())["models"] and p)
    assert ping["models"][0] == "tiny.en"
    assert worker.process
    engine = json.loads((worker.state_dir / "engine.pid").read_text())["pid"]
    assert "libtorch" in mapped(engine)  # so that the next line means something
    for library in ("libtorch", "numpy", "libav"):
        assert library not in mapped(worker.process.pid)


def mapped(pid: int) -> str:
    """The libraries that a process has loaded."""
    return Path(f"/proc/{pid}/maps").read_text()


def test_the_log_tells_how_long_the_model_took_to_load(worker: Worker) -> None:
    [event] = worker.events("model_loaded")
    assert (event["model"], event["source"]) == ("tiny.en", "starter")
    assert event["seconds"] > 0


def test_the_folder_alone_is_a_worker(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "gpu_worker", tmp_path / "gpu_worker")
    home = tmp_path / "home"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ |= {
        "WORKER_TOKEN": "secret",
        "WORKER_HOST": "127.0.0.1",
        "WORKER_PORT": "0",
        "WORKER_TMP_DIR": str(home / "tmp"),
        "WORKER_CACHE_DIR": str(home / "cache"),
        "WORKER_MODEL": "tiny.en",
    }
    command = [sys.executable, "-m", "gpu_worker"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as alone:
        assert alone.stderr
        try:
            started = next(
                line for line in map(json.loads, alone.stderr) if line["event"] == "worker_started"
            )
            address = f"http://127.0.0.1:{started['port']}"
            assert requests.get(f"{address}/health", timeout=30).json()["model"] == "tiny.en"
            headers = {"Authorization": "Bearer secret"}
            wait_for(lambda: requests.get(f"{address}/v1/ping", headers=headers, timeout=30).json()["models"])
        finally:
            alone.terminate()
