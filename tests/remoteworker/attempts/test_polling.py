"""Polling, against a server on a real socket."""

import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs import batches
from jobs.models import Job, JobInput
from remoteworker import tasks
from remoteworker.attempts import apply, dispatch, poll
from remoteworker.attempts.leases import Observation
from remoteworker.models import Attempt, Tick, Worker
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim, hand_out

JOB = "GET /v1/jobs/w-1"
NOT_FOUND = Said(404, {"error": "Job not found"})


def running(percent: float, stage: str = "transcribing", **more: object) -> Said:
    progress = {"percent": percent, "currentFileIndex": 0, "totalFiles": 1, "currentFile": "x", **more}
    return Said(200, {"workerJobId": "w-1", "status": "running", "stage": stage, "progress": progress})


def refreshed(job_input: JobInput) -> JobInput:
    job_input.refresh_from_db()
    return job_input


def test_progress_reaches_the_row_and_never_falls(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script[JOB] = [running(40, audioSeconds=20.0, audioDuration=50.0, speed=4.0), running(30)]
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).percent, job_input.audio_duration, job_input.stage) == (
        40,
        50,
        "transcribing",
    )
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).percent == 40


def test_a_restarted_worker_fails_the_file_and_retry_runs_it_again(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script[JOB] = NOT_FOUND
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "REMOTE_JOB_NOT_FOUND")
    assert job_input.error_message == "Remote worker restarted or job expired; please retry."
    assert job_input.remote_last_error == {"code": job_input.error_code, "message": job_input.error_message}
    assert batches.retry_input(job_input, "anna")
    scripted.script["POST /v1/jobs"] = Said(201, {"workerJobId": "w-2", "status": "queued"})
    hand_out(worker)
    assert (refreshed(job_input).status, job_input.attempt_count) == ("running", 2)
    assert job_input.remote_last_error is None


def test_a_lost_file_is_queued_again_while_attempts_are_left(
    settings: Settings, attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 2
    scripted.script[JOB] = NOT_FOUND
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).status == "queued"
    assert dispatch.accept(claim(worker)[0], "w-2")
    scripted.script["GET /v1/jobs/w-2"] = NOT_FOUND
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "REMOTE_JOB_NOT_FOUND")


@pytest.mark.parametrize(
    "said",
    [
        Said(404, b"<html>404 Not Found</html>"),
        Said(404, {"detail": "no route"}),
        Said(502, b"<html>"),
        Said(524, b""),
        Said(200, b"not json"),
        Said(200, b'{"a":' + b"1" * 300_000 + b"}"),
    ],
)
def test_what_is_not_the_worker_speaking_loses_nothing(
    said: Said, attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script[JOB] = said
    poll.poll_worker(worker.pk)
    worker.refresh_from_db()
    assert refreshed(job_input).status == "running"
    assert job_input.remote_last_error is not None
    assert not worker.is_connected


def test_the_lease_runs_out_only_when_a_poll_has_just_failed(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    Attempt.objects.update(lease_until=timezone.now() - timedelta(hours=2))
    scripted.script[JOB] = [running(10), Said(502, b"")]
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).status == "running", "the poller slept, the worker did not"
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "REMOTE_LEASE_EXPIRED")


def test_a_dead_worker_is_asked_once_for_all_its_attempts(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    Worker.objects.update(is_connected=False, checked_at=timezone.now())
    scripted.script["GET /v1/ping"] = Said(502, b"")
    poll.poll_worker(worker.pk)
    assert [heard.path for heard in scripted.heard] == ["/v1/ping"]
    assert refreshed(job_input).status == "running"


def test_a_cancel_is_passed_on_until_the_worker_has_heard_it(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    batches.cancel_input(job_input, "anna")
    cancel = "POST /v1/jobs/w-1/cancel"
    scripted.script[cancel] = [Said(502, b""), Said(200, {"status": "cancel_requested"})]
    for _ in range(3):
        poll.poll_worker(worker.pk)
    assert [heard.path for heard in scripted.heard if heard.method == "POST"] == [cancel.split()[1]] * 2
    assert refreshed(job_input).status == "canceled"


def test_past_the_deadline_the_file_fails_and_the_worker_is_told(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    Attempt.objects.update(deadline_at=timezone.now())
    scripted.script[JOB] = running(10)
    scripted.script["POST /v1/jobs/w-1/cancel"] = Said(200, {"status": "cancel_requested"})
    poll.poll_worker(worker.pk)
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "REMOTE_TIMEOUT")
    assert scripted.heard[-1].path == "/v1/jobs/w-1/cancel"


def test_a_disabled_workers_file_waits_for_another_worker(
    attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    Worker.objects.update(enabled=False)
    tasks.reap()
    attempt.refresh_from_db()
    assert (refreshed(job_input).status, attempt.outcome) == ("queued", "superseded")
    assert job_input.events.last().message == "The worker was retired."
    assert attempt.cancel_pending, "once it is enabled again, the worker is told"


def test_ticks_are_noted_and_send_one_message_a_worker(
    monkeypatch: pytest.MonkeyPatch, attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    sent: list[tuple[str, tuple[object, ...]]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: sent.append((task.name, args)))
    tasks.poll_workers()
    tasks.dispatch_queued()
    assert sent == [("remoteworker.tasks.poll_worker", (worker.pk,))]
    assert set(Tick.objects.values_list("name", flat=True)) == {
        "poll_workers", "dispatch_queued", "assign", "clock",
    }  # fmt: skip


def test_a_broker_that_is_away_does_not_fail_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    from kombu.exceptions import OperationalError

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks, "_quiet_until", 0.0)
    monkeypatch.setattr(tasks.dispatch_queued, "apply_async", away)
    assert tasks.nudge(tasks.dispatch_queued) is None


def test_a_broker_that_did_not_answer_is_waited_for_once_and_asked_again_later(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked: list[str] = []

    def away(*args: object, **kwargs: object) -> None:
        asked.append("asked")
        raise OSError("timed out")

    monkeypatch.setattr(tasks, "_quiet_until", 0.0)
    monkeypatch.setattr(tasks.poll_worker, "apply_async", away)
    settings.BROKER_PAUSE_SECONDS = 5.0
    for worker_id in range(20):
        tasks.nudge(tasks.poll_worker, worker_id)
    assert len(asked) == 1
    monkeypatch.setattr(tasks, "_quiet_until", tasks._quiet_until - 5.0)
    tasks.nudge(tasks.poll_worker, 1)
    assert len(asked) == 2


def test_odd_numbers_and_nul_from_a_worker_are_not_stored(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script[JOB] = running(
        20, stage="tran\0scribing", speed="fast", audioDuration="long", etaSeconds=-5
    )
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).percent, job_input.stage) == (20, "transcribing")
    assert (job_input.speed, job_input.audio_duration) == (None, None)


def test_a_lone_surrogate_in_an_error_is_written_down_as_a_question_mark(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    answer = running(20).body | {"status": "failed", "error": {"code": [], "message": "cut \ud83d here"}}
    scripted.script[JOB] = Said(200, answer)
    poll.poll_worker(worker.pk)
    assert (refreshed(job_input).error_code, job_input.error_message) == ("PROCESSING_ERROR", "cut ? here")


def test_a_worker_that_drips_its_answer_is_not_waited_for(
    settings: Settings, attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    settings.CALL_SECONDS = 0.5
    left: list[str] = []

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            until = time.monotonic() + 30
            while time.monotonic() < until:
                time.sleep(0.05)
                try:
                    connection.sendall(b" ")
                except OSError:
                    left.append("while it dripped")
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        Worker.objects.update(url=f"http://127.0.0.1:{server.getsockname()[1]}")
        poll.poll_worker(worker.pk)
        thread.join()
    assert left == ["while it dripped"]
    assert refreshed(job_input).status == "running"
    assert job_input.remote_last_error is not None


def test_two_pollers_never_ask_the_same_worker_at_once(
    attempt: Attempt, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script[JOB] = running(10)
    Worker.objects.update(polled_until=timezone.now() + timedelta(seconds=30))
    poll.poll_worker(worker.pk)
    assert not scripted.heard, "somebody else polls it"
    Worker.objects.update(polled_until=timezone.now() - timedelta(seconds=1))
    poll.poll_worker(worker.pk)
    poll.poll_worker(worker.pk)
    assert len(scripted.heard) == 2, "a poller that was killed does not hold it for ever"


def test_an_attempt_whose_input_went_on_without_it_is_ended(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    JobInput.objects.update(status="complete")
    scripted.script[JOB] = NOT_FOUND
    poll.poll_worker(worker.pk)
    attempt.refresh_from_db()
    assert (refreshed(job_input).status, attempt.outcome) == ("complete", "superseded")


def test_a_cancel_that_is_refused_does_not_hold_up_the_others(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    batches.cancel_input(job_input, "anna")
    second = Attempt.objects.create(
        job_input=job_input, worker=worker, number=9, worker_job_id="w-9", deadline_at=timezone.now(),
        ended_at=timezone.now(), cancel_pending=True,
    )  # fmt: skip
    scripted.script["POST /v1/jobs/w-9/cancel"] = Said(400, {"error": {"code": "X", "message": "no"}})
    scripted.script["POST /v1/jobs/w-1/cancel"] = Said(200, {"status": "cancel_requested"})
    poll.poll_worker(worker.pk)
    attempt.refresh_from_db()
    second.refresh_from_db()
    assert (attempt.cancel_pending, second.cancel_pending) == (False, True)


def test_canceling_many_files_sends_one_message(
    monkeypatch: pytest.MonkeyPatch, job_of: Callable[..., Job], django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.dispatch_queued, "apply_async", lambda **kwargs: sent.append("dispatch"))
    with django_capture_on_commit_callbacks(execute=True):
        job = job_of(files=3)
        batches.cancel_job(job, "anna")
        assert batches.retry_job(job, "anna") == 3
    assert sent == ["dispatch"]


def test_what_a_poll_read_before_the_file_went_elsewhere_changes_nothing(
    settings: Settings, attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 2
    stale = Attempt.objects.select_related("job_input__job", "worker").get()
    apply.observation(attempt, Observation(is_unknown=True), timezone.now())
    (second,) = claim(worker, 1)
    assert dispatch.accept(second, "w-2")
    JobInput.objects.update(percent=70)
    for said in (Observation(is_unknown=True), Observation(status=running(99).body), Observation(reason="?")):
        apply.observation(stale, said, timezone.now())
    assert (refreshed(job_input).status, job_input.percent, job_input.remote_last_error) == (
        "running",
        70,
        None,
    )
    assert job_input.attempts.get(ended_at=None) == second


def test_two_polls_that_cross_do_not_set_progress_back(attempt: Attempt, job_input: JobInput) -> None:
    slow = Attempt.objects.select_related("job_input__job", "worker").get()
    apply.observation(attempt, Observation(status=running(60).body), timezone.now())
    apply.observation(slow, Observation(status=running(40).body), timezone.now())
    assert refreshed(job_input).percent == 60


def test_after_three_failures_one_probe_in_a_while_stands_for_all(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["GET /v1/ping"] = scripted.script[JOB] = Said(502, b"")
    Worker.objects.update(checked_at=timezone.now())
    for failures in (1, 2, 3):
        assert [due.pk for due in poll.workers_to_poll()] == [worker.pk]
        poll.poll_worker(worker.pk)
        worker.refresh_from_db()
        assert worker.failures == failures
    assert worker.unreachable_since is not None
    assert poll.workers_to_poll() == [], "it was probed a moment ago"
    Worker.objects.update(checked_at=timezone.now() - timedelta(seconds=5))
    assert [due.pk for due in poll.workers_to_poll()] == [worker.pk]
    scripted.script["GET /v1/ping"] = Said(200, {"status": "ok", "models": ["base"]})
    scripted.script[JOB] = running(10)
    poll.poll_worker(worker.pk)
    worker.refresh_from_db()
    assert (worker.failures, worker.unreachable_since, worker.is_connected) == (0, None, True)


def test_a_worker_that_answers_for_many_is_asked_once(
    attempt: Attempt, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    Worker.objects.update(capabilities={"answersMany": True, "models": ["base"]})
    many = "GET /v1/jobs?id=w-1"
    scripted.script[many] = [Said(200, {"jobs": {"w-1": running(30).body}}), Said(200, {"jobs": {}})]
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).percent == 30
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).status == "running", "an answer that leaves a job out says nothing of it"
    Worker.objects.update(is_connected=True)
    scripted.script[many] = Said(200, {"jobs": {"w-1": None}})
    poll.poll_worker(worker.pk)
    assert refreshed(job_input).error_code == "REMOTE_JOB_NOT_FOUND"


def test_a_cancel_whose_dispatch_was_never_answered_finds_the_job_by_its_key(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = [
        Said(502, b""),
        Said(200, {"workerJobId": "w-9", "status": "running"}),
    ]
    hand_out(worker)
    batches.cancel_input(job_input, "anna")
    scripted.script["GET /v1/ping"] = Said(200, {"status": "ok", "models": ["base"]})
    scripted.script["POST /v1/jobs/w-9/cancel"] = Said(200, {"status": "cancel_requested"})
    poll.poll_worker(worker.pk)
    said = [heard for heard in scripted.heard if heard.method == "POST"]
    assert [heard.path for heard in said] == ["/v1/jobs", "/v1/jobs", "/v1/jobs/w-9/cancel"]
    assert said[0].headers["Idempotency-Key"] == said[1].headers["Idempotency-Key"]
    assert (refreshed(job_input).status, job_input.attempts.get().cancel_pending) == ("canceled", False)
