"""Each fault and its outcome, with real processes on both pairs. Every period is a twentieth: a lease is 4.5 s.

A fault lasts until what it is about has happened, not for a time: a machine may be slow.
"""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable

import pytest
import requests

from tests.chaos.proxy import CUT, LOST_REPLY, Fault, Proxy
from tests.chaos.stage import Stage, tone
from tests.contract.installation import wait_for
from tests.contract.servers import OwnRedis

BETWEEN = ("/v1/", "/worker/", "/inputs/")  # calls of the protocol, not of people's browsers
LONG = 8.0  # seconds of audio: 4 s of work
STAGES: dict[str, Callable[[Stage, str], object]] = {
    "queued": lambda stage, job: None,
    "handed over": lambda stage, job: stage.wait_status(job, "running"),
    "transcribing": lambda stage, job: wait_for(lambda: stage.file(job)["percent"] > 20, 30, "20 %"),
    "writing back": lambda stage, job: wait_for(
        lambda: any("worker/outputs" in call for call in stage.to_controller.calls), 30, "outputs come"
    ),
}


def its_worker(stage: Stage, job: str) -> int:
    """The number of the worker that has the job's file."""
    name = wait_for(lambda: stage.file(job)["worker"], 30, "a worker has it")
    return [f"127.0.0.1:{proxy.port}" for proxy in stage.to_workers].index(name)


def wait_calls(proxy: Proxy, count: int, part: str = "") -> None:
    """Wait for so many more calls that have `part` in them."""
    before = len(proxy.calls)
    wait_for(lambda: sum(part in call for call in proxy.calls[before:]) >= count, 60, f"{count} calls come")


def retry(stage: Stage, job: str) -> int:
    headers = {"X-CSRFToken": stage.browser.cookies.get("csrftoken") or ""}
    return stage.browser.post(f"{stage.url}/api/jobs/{job}/retry", headers=headers, timeout=30).status_code


@pytest.mark.parametrize("when", list(STAGES))
@pytest.mark.parametrize("victim", ["web", "celery"])
def test_a_killed_controller_process_loses_nothing(
    victim: str, when: str, stage: Stage, session: str
) -> None:
    stage.to_controller.calls.clear()
    job = stage.run(session, 3.0)
    STAGES[when](stage, job)
    stage.restart(victim)
    wait_for(lambda: stage.status(), 30, "the page is back")
    row = stage.wait_status(job, "complete", "failed", seconds=40)
    assert (row["status"], row["attempt"]) == ("complete", 1)


@pytest.mark.parametrize("when", ["handed over", "transcribing", "writing back"])
def test_a_killed_worker_is_a_sentence_and_retry_completes_it(when: str, stage: Stage, session: str) -> None:
    stage.to_controller.calls.clear()
    job = stage.run(session, 3.0 if when == "writing back" else LONG)
    STAGES[when](stage, job)
    stage.restart(f"worker-{its_worker(stage, job)}")
    row = stage.wait_status(job, "complete", "failed", seconds=40)
    if row["status"] == "failed":
        assert row["error"]["code"] == "REMOTE_JOB_NOT_FOUND"
        assert row["error"]["message"] == "Remote worker restarted or job expired; please retry."
        assert retry(stage, job) == 200
        row = stage.wait_status(job, "complete", seconds=40)
    else:
        assert when != "transcribing", "what it had done is gone with it"


def test_a_worker_woken_before_retry_still_brings_its_result(stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    number = its_worker(stage, job)
    STAGES["transcribing"](stage, job)
    stage.freeze(f"worker-{number}")
    assert stage.wait_status(job, "failed")["error"]["code"] == "REMOTE_LEASE_EXPIRED"
    stage.thaw(f"worker-{number}")
    row = stage.wait_status(job, "complete")
    assert row["attempt"] == 1


def test_a_worker_woken_after_retry_is_refused_and_stops(stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    number = its_worker(stage, job)
    STAGES["transcribing"](stage, job)
    stage.freeze(f"worker-{number}")
    stage.wait_status(job, "failed")
    assert retry(stage, job) == 200
    wait_for(lambda: stage.file(job)["attempt"] == 2, 30, "the other worker has it")
    stage.thaw(f"worker-{number}")
    assert stage.wait_status(job, "complete")["attempt"] == 2
    wait_for(lambda: not stage.scratch(number), 30, "the first worker deleted its work")


def test_a_stopped_redis_holds_no_page_up_and_ticks_go_on_by_themselves(
    stage: Stage, session: str, redis: OwnRedis
) -> None:
    redis.stop()
    try:
        job = stage.run(session, 1.0)  # answered while there is no broker
    finally:
        redis.start()
    assert stage.wait_status(job, "complete", seconds=60)["attempt"] == 1


def test_a_frozen_redis_holds_no_page_up(stage: Stage, session: str, redis: OwnRedis) -> None:
    uploads = stage.upload(session, {"mill.wav": tone(1.0)})["uploads"]
    redis.freeze()
    try:
        job = stage.start_job(session, uploads)  # answered while the broker is silent
    finally:
        redis.thaw()
    assert stage.wait_status(job, "complete", seconds=60)["attempt"] == 1


def test_a_flushed_redis_loses_messages_and_no_job(stage: Stage, session: str, redis: OwnRedis) -> None:
    stop, flushes = threading.Event(), Counter[str]()

    def flush() -> None:
        while not stop.wait(0.02):
            redis.flush()
            flushes["done"] += 1

    flushing = threading.Thread(target=flush)
    flushing.start()
    job = stage.run(session, 1.0)
    before = flushes["done"]
    wait_for(lambda: flushes["done"] > before + 100, 60, "it is flushed again and again")
    stop.set()
    flushing.join()
    assert stage.wait_status(job, "complete", seconds=30)["attempt"] == 1


def test_a_lost_reply_to_the_dispatch_runs_it_once(stage: Stage, session: str) -> None:
    for proxy in stage.to_workers:
        proxy.calls.clear()
        proxy.break_once("POST /v1/jobs", LOST_REPLY)
    job = stage.run(session, 1.0)
    assert stage.wait_status(job, "complete")["attempt"] == 1
    created = [line for line in stage.logs().splitlines() if '"job_created"' in line and job in line]
    assert len(created) == 1


@pytest.mark.parametrize("call", ["worker/outputs", "worker/complete"])
def test_a_lost_reply_to_a_write_back_changes_nothing(call: str, stage: Stage, session: str) -> None:
    stage.to_controller.break_once(call, LOST_REPLY)
    job = stage.run(session, 1.0)
    assert stage.wait_status(job, "complete")["attempt"] == 1
    wait_for(lambda: not any(stage.scratch(n) for n in (0, 1)), 30, "the worker heard it the second time")


@pytest.mark.parametrize("status", [404, 502, 524])
def test_a_proxys_page_for_half_a_minute_loses_nothing(status: int, stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    STAGES["transcribing"](stage, job)
    for proxy in (*stage.to_workers, stage.to_controller):
        proxy.rule = lambda _call: Fault(status=status)
    wait_calls(stage.to_workers[its_worker(stage, job)], 3)
    for proxy in (*stage.to_workers, stage.to_controller):
        proxy.heal()
    row = stage.wait_status(job, "complete", "failed")
    assert (row["status"], row["attempt"]) == ("complete", 1)


@pytest.mark.parametrize("direction", ["to the workers", "to the controller", "both"])
def test_a_minutes_partition_loses_nothing(direction: str, stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    STAGES["transcribing"](stage, job)
    asked = stage.to_workers[its_worker(stage, job)]
    cut = [*stage.to_workers] if direction != "to the controller" else []
    cut += [stage.to_controller] if direction != "to the workers" else []
    for proxy in cut:
        proxy.rule = lambda call: CUT if any(part in call for part in BETWEEN) else None
    if asked in cut:
        wait_calls(asked, 4)
    else:
        wait_calls(stage.to_controller, 1, "/worker/")
    for proxy in cut:
        proxy.heal()
    assert stage.wait_status(job, "complete", "failed")["status"] == "complete"


def test_a_long_partition_from_the_worker_ends_the_lease_and_its_result_still_counts(
    stage: Stage, session: str
) -> None:
    job = stage.run(session, LONG)
    STAGES["transcribing"](stage, job)
    for proxy in stage.to_workers:
        proxy.cut()
    row = stage.wait_status(job, "failed", "complete")
    if row["status"] == "failed":
        assert row["error"]["code"] == "REMOTE_LEASE_EXPIRED"
    for proxy in stage.to_workers:
        proxy.heal()
    assert stage.wait_status(job, "complete")["attempt"] == 1, "it still reached the controller"


def test_a_long_partition_to_the_controller_is_waited_out_by_the_worker(stage: Stage, session: str) -> None:
    job = stage.run(session, 3.0)
    STAGES["transcribing"](stage, job)
    stage.to_controller.rule = lambda call: CUT if "worker/" in call else None
    wait_calls(stage.to_controller, 4, "worker/")
    assert stage.file(job)["status"] in ("running", "failed")
    stage.to_controller.heal()
    row = stage.wait_status(job, "complete", "failed")
    if row["status"] == "failed":
        assert row["error"]["code"] == "REMOTE_OUTPUTS_MISSING"
        assert retry(stage, job) == 200
        stage.wait_status(job, "complete")


def test_retry_clicked_many_times_runs_it_once_more(stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    number = its_worker(stage, job)
    STAGES["transcribing"](stage, job)
    stage.restart(f"worker-{number}")
    stage.wait_status(job, "failed")
    codes: list[int] = []
    clicks = [threading.Thread(target=lambda: codes.append(retry(stage, job))) for _ in range(8)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert sorted(codes) == [200] + [409] * 7
    assert stage.wait_status(job, "complete", seconds=40)["attempt"] == 2


@pytest.mark.parametrize("when", list(STAGES))
def test_cancel_is_at_once_at_every_stage_and_final(when: str, stage: Stage, session: str) -> None:
    stage.to_controller.calls.clear()
    job = stage.run(session, 3.0)
    STAGES[when](stage, job)
    headers = {"X-CSRFToken": stage.browser.cookies.get("csrftoken") or ""}
    code = stage.browser.post(f"{stage.url}/api/jobs/{job}/cancel", headers=headers, timeout=30).status_code
    expected = "canceled" if code == 200 else "complete"
    assert stage.file(job)["status"] == expected
    stage.wait_status(stage.run(session, 1.0), "complete")  # whatever was on its way has arrived
    row = stage.file(job)
    assert (row["status"], bool(row["transcriptUrl"])) == (expected, expected == "complete")


def test_cancel_does_not_wait_for_a_frozen_worker(stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    number = its_worker(stage, job)
    STAGES["transcribing"](stage, job)
    stage.freeze(f"worker-{number}")
    answer = stage.post(f"/api/jobs/{job}/cancel")  # answered while the worker is silent
    assert answer["job"]["status"] == "canceled"
    stage.thaw(f"worker-{number}")
    wait_for(lambda: not stage.scratch(number), 30, "the worker heard it, and deleted its work")
    assert stage.file(job)["status"] == "canceled"


def test_a_frozen_worker_delays_the_others_polls_by_a_second_at_most(stage: Stage, session: str) -> None:
    frozen = stage.run(session, 2 * LONG)
    number = its_worker(stage, frozen)
    other = stage.run(session, 2 * LONG)
    assert its_worker(stage, other) != number
    STAGES["transcribing"](stage, other)
    stage.freeze(f"worker-{number}")
    silent, speaks = stage.to_workers[number], stage.to_workers[1 - number]
    before, seen = (len(silent.calls), len(speaks.calls)), {stage.file(other)["percent"]}
    wait_for(lambda: seen.add(stage.file(other)["percent"]) or len(seen) > 8, 30, "the other one moves on")
    asked = [len(proxy.calls) - earlier for proxy, earlier in zip((silent, speaks), before, strict=True)]
    assert asked[1] > asked[0] + 2, "it is asked again and again while the frozen one is waited for"
    stage.thaw(f"worker-{number}")
    assert stage.wait_status(other, "complete", seconds=40)
    stage.wait_status(frozen, "complete", "failed", seconds=40)


def test_a_full_disk_at_the_worker_is_a_sentence_and_retry_completes_it(stage: Stage, session: str) -> None:
    for name in stage.names:
        stage.start_over(name)
    with stage.short_files(1_500_000):  # the recording is larger, logs and journal are not
        job = stage.run(session, 60.0)
        row = stage.wait_status(job, "failed")
    assert row["error"]["code"] == "WORKER_DISK_FULL"
    assert "Free space" in row["error"]["hint"]
    assert retry(stage, job) == 200
    wait_for(lambda: stage.file(job)["percent"] > 10, 30, "it is transcribed")
    stage.post(f"/api/jobs/{job}/cancel")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_at_the_controller_is_waited_out_by_the_worker(stage: Stage, session: str) -> None:
    results = stage.folder / "data" / "results"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(results)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.decode()}")
    try:
        (results / "filler").write_bytes(b"x" * 4096)  # not a byte is left
        job = stage.run(session, 3.0)
        row = wait_for(
            lambda: (row := stage.file(job))["stage"] == "uploading" and row, 30, "it is written back"
        )
        assert row["status"] == "running"
        wait_calls(stage.to_controller, 2, "worker/outputs")
    finally:
        subprocess.run(["umount", str(results)], check=True)
    assert stage.wait_status(job, "complete")["attempt"] == 1


def test_a_locked_database_holds_things_up_and_loses_nothing(stage: Stage, session: str) -> None:
    job = stage.run(session, LONG)
    STAGES["transcribing"](stage, job)
    with stage.locked_database():
        wait_calls(stage.to_controller, 2, "worker/outputs")  # longer than it was waited for the first time
    row = stage.wait_status(job, "complete", "failed", seconds=40)
    assert (row["status"], row["attempt"]) == ("complete", 1)


def test_results_come_though_ticks_have_stopped_and_health_says_so(stage: Stage, session: str) -> None:
    job = stage.run(session, 3.0)
    STAGES["transcribing"](stage, job)
    stage.kill("celery")
    assert stage.wait_status(job, "complete")["attempt"] == 1
    health = f"{stage.url}/healthz"
    wait_for(
        lambda: "Celery" in requests.get(health, timeout=30).json()["checks"]["ticks"], 30, "health is red"
    )
    assert requests.get(health, timeout=30).status_code == 503
    waiting = stage.run(session, 1.0)
    stage.start_service("celery")
    assert stage.wait_status(waiting, "complete")["attempt"] == 1


def test_a_cancel_and_a_result_at_the_same_instant_have_one_outcome(stage: Stage, session: str) -> None:
    job = stage.run(session, *(1.0 + number / 10 for number in range(6)))
    wait_for(lambda: any(row["status"] == "complete" for row in stage.job(job)["inputs"]), 30, "one is done")
    stage.post(f"/api/jobs/{job}/cancel")
    stage.wait_status(stage.run(session, 1.0), "complete")  # whatever was on its way has arrived
    for row in stage.job(job)["inputs"]:
        assert row["status"] in ("complete", "canceled")
        assert bool(row["transcriptUrl"]) == (row["status"] == "complete")
