"""Settings, and how the worker says that one is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpu_worker.config import ENGINES, BadConfig, EngineParts, read_config
from tests.gpu_worker.worker import ROOT


def test_defaults_are_the_protocols() -> None:
    config = read_config({"WORKER_TOKEN": " secret \n"})
    assert (config.token, config.host, config.port) == ("secret", "0.0.0.0", 8477)
    assert (config.max_file_mb, config.max_concurrent_jobs, config.queue_size) == (2000, 1, 2)
    assert (config.model, config.diarization_device) == ("large-v3", "auto")
    assert (str(config.tmp_dir), str(config.state_dir)) == ("/tmp/bt-worker", "/tmp/bt-worker-state")
    assert (config.engine_name, config.engine) == ("reference", "gpu_worker.asr.openai_whisper:OpenAIWhisper")
    assert (config.diarization_pipeline, config.previous_token, config.rehearsal_speed) == ("", "", 20)
    assert config.cache_dir == Path.home() / ".cache" / "bulk-transcribe"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKER_TOKEN", "  "),
        ("WORKER_TOKEN", "pass wörd"),
        ("WORKER_TOKEN_PREVIOUS", "pass wörd"),
        ("WORKER_PORT", "http"),
        ("WORKER_PORT", "70000"),
        ("WORKER_MAX_FILE_MB", "-1"),
        ("WORKER_MAX_CONCURRENT_JOBS", "0"),
        ("WORKER_QUEUE_SIZE", "two"),
        ("DIARIZATION_DEVICE", "tpu"),
        ("WORKER_ENGINE", "faster"),
        ("WORKER_ENGINE", "a:B,c:D,e:F"),
        ("WORKER_REHEARSAL_SPEED", "fast"),
        ("WORKER_REHEARSAL_SPEED", "0"),
        ("WORKER_REHEARSAL_SPEED", "nan"),
        ("ALLOW_INSECURE_WORKER", "perhaps"),
        ("CONTROLLER_ORIGIN", "transcribe.example.org"),
        ("CONTROLLER_ORIGIN", "https://:99999"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(BadConfig, match=name):
        read_config({"WORKER_TOKEN": "secret", name: value})


@pytest.mark.parametrize(("name", "parts"), ENGINES.items())
def test_an_engine_has_a_short_name(name: str, parts: EngineParts) -> None:
    config = read_config({"WORKER_TOKEN": "secret", "WORKER_ENGINE": name})
    assert (config.engine, config.diarizer) == (parts.recognizer, parts.diarizer)
    assert config.is_rehearsal == (name == "rehearsal")


def test_an_engine_of_another_package_may_bring_its_diarizer() -> None:
    config = read_config({"WORKER_TOKEN": "secret", "WORKER_ENGINE": "a.b:C,a.d:E"})
    assert (config.engine, config.diarizer) == ("a.b:C", "a.d:E")


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"WORKER_TOKEN": ""}, "WORKER_TOKEN is not set"),
        ({"WORKER_TOKEN": "x", "WORKER_PORT": "many"}, "WORKER_PORT must be a whole number"),
        ({"WORKER_TOKEN": "x", "WORKER_TMP_DIR": "/proc/nowhere"}, "WORKER_TMP_DIR"),
    ],
)
def test_a_worker_that_cannot_start_says_why_in_one_sentence(environ: dict[str, str], named: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gpu_worker"],
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert named in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
