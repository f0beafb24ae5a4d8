"""How far a job is: never backwards, and moving from the first second of work."""

from __future__ import annotations

from gpu_worker.job import Job
from gpu_worker.protocol import InputSpec, JobRequest, Options

HOUR = 3600.0


def a_job() -> Job:
    source = InputSpec("i-1", "mill.wav", "audio/wav", 1000, "http://127.0.0.1:9/in")
    request = JobRequest("c-1", "hash", (source,), Options(), "http://127.0.0.1:9/c", "http://127.0.0.1:9/o")
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
