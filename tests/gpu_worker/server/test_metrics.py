"""What Prometheus sees, and the second token."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.gpu_worker.controller import TOKEN, Controller
from tests.gpu_worker.worker import Worker, wait_for

pytestmark = pytest.mark.clean


def read(worker: Worker) -> dict[str, float]:
    """Every sample by name and labels."""
    reply = worker.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        sample.name.removeprefix("bulk_transcribe_worker_") + "".join(map(str, sample.labels.values())): (
            sample.value
        )
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_metrics_count_what_was_done(controller: Controller, worker: Worker) -> None:
    before = read(worker)
    assert (before["capacity"], before["audio_seconds_total"]) == (3.0, 0.0)
    worker.reach(worker.begin(controller.job("a.wav", "b.wav")), "complete")
    worker.reach(worker.begin(controller.job("a.wav", initialPrompt="mistake"), key="2"), "failed")
    after = read(worker)
    assert after["audio_seconds_total"] == 5.0
    assert after["speed"] > 0
    wait_for(lambda: read(worker).get("jobs_ended_totalcomplete") == 1)
    wait_for(lambda: read(worker).get("jobs_ended_totalfailed") == 1)
    assert (after["jobsrunning"], after["jobsqueued"], after["engine_restarts"]) == (0, 0, 0)
    for stage in ("downloading", "decoding", "transcribing", "uploading"):
        assert after[f"stage_seconds_total{stage}"] > 0, stage


def test_metrics_count_engines_that_died(controller: Controller, worker: Worker) -> None:
    worker.reach(worker.begin(controller.job("a.wav", initialPrompt="crash")), "failed")
    after = wait_for(lambda: (found := read(worker))["engine_ready"] and found)
    assert after["engine_restarts"] == 1


def test_metrics_are_not_for_strangers(idle_worker: Worker) -> None:
    assert requests.get(f"{idle_worker.url}/metrics", timeout=30).status_code == 401
    assert idle_worker.get("/metrics", token="wrong").status_code == 403


def test_the_token_before_this_one_opens_the_door_while_it_is_named(tmp_path: Path) -> None:
    with Worker(tmp_path, WORKER_TOKEN_PREVIOUS="before") as worker:
        for token, status in ((TOKEN, 200), ("before", 200), ("other", 403), ("", 403)):
            assert worker.get("/v1/ping", token=token).status_code == status
    with Worker(tmp_path) as worker:
        assert worker.get("/v1/ping", token="before").status_code == 403
        assert worker.get("/v1/ping", token="").status_code in (401, 403)
