"""How far a job is: never backwards, and moving from the first second of work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from gpu_worker.errors import Canceled
from gpu_worker.jobs import job as job_module
from gpu_worker.jobs.job import Job
from gpu_worker.shared.protocol import InputSpec, JobRequest, Options

HOUR = 3600.0


def a_job(deadline: str = "", **options: Any) -> Job:
    source = InputSpec("i-1", "mill.wav", "audio/wav", 1000, "http://127.0.0.1:9/in")
    request = JobRequest(
        controller_job_id="c-1",
        controller_session_hash="hash",
        inputs=(source,),
        options=Options(**options),
        callback_url="http://127.0.0.1:9/c",
        outputs_upload_url="http://127.0.0.1:9/o",
        deadline_at=deadline,
    )
    job = Job("w-1", request, "boot")
    job.enter_file(0)
    job.set_duration(HOUR)
    return job


def percent(job: Job) -> float:
    return job.snapshot(False)["progress"]["percent"]


def test_percent_moves_while_the_voice_gate_listens_and_while_words_come() -> None:
    job = a_job()
    seen = []
    job.enter_stage("transcribing")
    for position in (0.0, HOUR / 2, HOUR):
        job.listen(position)
        seen.append(percent(job))
    for position in (0.0, HOUR / 2, HOUR):
        job.reach(position)
        seen.append(percent(job))
    assert seen == sorted(seen)
    assert len(set(seen)) == 5, "the end of listening is the beginning of the words"
    assert seen[-1] < 100
    assert job.snapshot(False)["progress"]["audioSeconds"] == HOUR


def test_a_speed_is_told_once_there_is_one_and_time_runs_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(job_module.time, "monotonic", lambda: now)
    job = a_job()
    job.enter_stage("transcribing")

    def pace() -> tuple[float | None, float | None]:
        progress = job.snapshot(False)["progress"]
        return progress["speed"], progress["etaSeconds"]

    now += 4
    job.reach(0.2)  # the start of the first window
    assert pace() == (None, None)
    now += 6
    job.reach(20.0)
    assert pace() == (2.0, (HOUR - 20) / 2)
    now += 5
    assert pace() == (2.0, (HOUR - 20) / 2 - 5), "a window under way makes nothing slower"
    now += HOUR
    assert pace() == (2.0, 0.0)


def test_listening_counts_as_no_audio_done() -> None:
    job = a_job()
    job.enter_stage("transcribing")
    job.listen(HOUR)
    assert job.snapshot(False)["progress"]["audioSeconds"] == 0.0


def test_an_earlier_position_never_takes_percent_back() -> None:
    job = a_job()
    job.enter_stage("transcribing")
    job.reach(HOUR / 2)
    half = percent(job)
    job.listen(0.0)
    job.reach(10.0)
    assert percent(job) == half


def test_percent_moves_while_a_file_arrives_and_while_speakers_are_told_apart() -> None:
    job = a_job(diarization_enabled=True)
    seen = [percent(job)]
    for share in (0.5, 1.0):
        job.arrive(share)
        seen.append(percent(job))
    job.enter_stage("diarizing")
    for share in (0.5, 1.0):
        job.diarize(share)
        seen.append(percent(job))
    job.enter_stage("transcribing")
    job.reach(HOUR / 2)
    seen.append(percent(job))
    assert all(before < after for before, after in pairwise(seen))


@pytest.mark.parametrize(("seconds", "ends"), [(60.0, True), (-10.0, False), (600.0, False)])
def test_a_job_ends_by_itself_after_its_deadline(
    seconds: float, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was over at the start is the fault of a clock: it counts for nothing."""
    now = 1000.0
    monkeypatch.setattr(job_module.time, "monotonic", lambda: now)
    monkeypatch.setattr(job_module, "DEADLINE_GRACE", 0.0)
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    job = a_job(deadline.isoformat())
    assert not job.is_canceled()
    now += 120
    assert job.is_canceled() is job.is_expired() is ends
    if ends:
        with pytest.raises(Canceled):
            job.pause()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-45T00:00:00"])
def test_a_deadline_that_is_none_is_none(text: str) -> None:
    assert not a_job(text).is_expired()
