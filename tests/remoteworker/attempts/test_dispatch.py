"""Handing over, against a server on a real socket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from gpu_worker.shared import protocol
from jobs import batches
from jobs.models import Job, JobInput
from remoteworker.attempts import dispatch, poll
from remoteworker.models import Attempt, Worker
from tests.conftest import WORKER_TOKEN
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim, hand_out

ACCEPTED = Said(201, {"workerJobId": "w-1", "status": "queued"})
BUSY = Said(429, {"error": {"code": "BUSY", "message": "full"}}, {"Retry-After": "7"})


def refreshed(job_input: JobInput) -> JobInput:
    job_input.refresh_from_db()
    return job_input


def test_an_accepted_input_runs_under_the_workers_id(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = ACCEPTED
    hand_out(worker)
    attempt = job_input.attempts.get()
    assert (refreshed(job_input).status, job_input.worker_name) == ("running", "box")
    assert (attempt.number, attempt.worker_job_id, attempt.ended_at) == (1, "w-1", None)
    assert attempt.lease_until is not None
    assert attempt.lease_until > timezone.now()


def test_the_request_says_what_the_protocol_wants_and_no_session_id(
    job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker
) -> None:
    job = job_of(language="de", diarization_enabled=True, min_speakers=2, max_speakers=4)
    scripted.script["POST /v1/jobs"] = ACCEPTED
    hand_out(worker)
    heard = scripted.heard[0]
    body = heard.json()
    attempt = Attempt.objects.get()
    assert heard.headers["Authorization"] == f"Bearer {WORKER_TOKEN}"
    assert heard.headers["Idempotency-Key"] == str(attempt.pk)
    assert heard.headers["User-Agent"].startswith("bulk-transcribe-controller/")
    assert protocol.parse_job_request(body).options.max_speakers == 4
    assert body["options"]["diarizationEffective"] == {
        "minSpeakers": 2,
        "maxSpeakers": 4,
        "numSpeakers": None,
    }
    assert (body["controllerJobId"], body["attempt"]) == (str(job.pk), 1)
    assert len(body["controllerSessionHash"]) == 16
    everything = heard.body.decode() + str(heard.headers)
    assert str(job.session_id) not in everything
    assert job.session_id.hex not in everything


def test_a_full_worker_puts_it_back_and_burns_no_try(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = [BUSY, ACCEPTED]
    hand_out(worker)
    assert refreshed(job_input).status == "queued"
    assert job_input.attempts.get().outcome == "superseded"
    JobInput.objects.update(not_before=timezone.now())
    hand_out(worker)
    assert len(scripted.heard) == 1, "it waits as long as the worker asked for"
    worker.refresh_from_db()
    assert worker.busy_until is not None
    assert worker.busy_until > timezone.now() + timedelta(seconds=5)
    Worker.objects.update(busy_until=timezone.now())
    hand_out(worker)
    assert (refreshed(job_input).status, job_input.attempt_count) == ("running", 2)
    assert (dispatch.may_try_again(job_input.attempts.first()), job_input.tries) == (False, 1), (
        "what people see counts tries"
    )


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Said(400, {"error": {"code": "UNKNOWN_MODEL", "message": "no such model"}}), "UNKNOWN_MODEL"),
        (Said(400, {"error": {"code": "odd", "message": "bad option"}}), "REMOTE_REFUSED"),
        (Said(422, {"error": "another body"}), "REMOTE_REFUSED"),
        (Said(400, {"error": {"code": [], "message": "\ud83d"}}), "REMOTE_REFUSED"),
        (Said(401, {"error": "Authorization required"}), "REMOTE_AUTH_FAILED"),
        (Said(401, {"error": {"code": "UNAUTHENTICATED", "message": "No header."}}), "REMOTE_AUTH_FAILED"),
        (Said(403, {"error": "Wrong token"}), "REMOTE_AUTH_FAILED"),
    ],
)
def test_a_refusal_fails_with_its_code_and_is_not_repeated(
    said: Said, code: str, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = said
    hand_out(worker)
    hand_out(worker)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", code)
    assert job_input.remote_last_error is not None
    assert job_input.remote_last_error["code"] == code
    assert len(scripted.heard) == 1


def test_a_refused_connection_puts_it_back_at_once(job_input: JobInput, worker: Worker) -> None:
    hand_out(worker)
    worker.refresh_from_db()
    assert (refreshed(job_input).status, job_input.attempts.get().outcome) == ("queued", "superseded")
    assert not worker.is_connected
    assert job_input.remote_last_error == {"code": "UNREACHABLE", "message": "connection refused"}


@pytest.mark.parametrize("status", [404, 502, 524])
def test_a_proxys_page_is_no_answer_and_the_same_attempt_is_sent_again(
    status: int, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = [Said(status, b"<html>Bad gateway</html>"), ACCEPTED]
    hand_out(worker)
    assert refreshed(job_input).status == "dispatching"
    Worker.objects.update(is_connected=True)
    hand_out(worker)
    assert len(scripted.heard) == 1, "the first call may still be under way somewhere"
    Attempt.objects.update(sent_at=timezone.now() - timedelta(seconds=9))
    hand_out(worker)
    keys = {heard.headers["Idempotency-Key"] for heard in scripted.heard}
    assert (refreshed(job_input).status, len(scripted.heard), len(keys)) == ("running", 2, 1)
    assert scripted.heard[0].body == scripted.heard[1].body


def test_a_dispatch_without_an_answer_is_given_up_in_the_end(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = Said(502, b"<html>")
    hand_out(worker)
    long_ago = timezone.now() - timedelta(seconds=121)
    Attempt.objects.update(created_at=long_ago, sent_at=long_ago)
    hand_out(worker)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "REMOTE_DISPATCH_TIMEOUT")


def test_a_redirect_is_not_followed_with_the_token(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["POST /v1/jobs"] = Said(307, {}, {"Location": f"{scripted.url}/elsewhere"})
    hand_out(worker)
    assert [heard.path for heard in scripted.heard] == ["/v1/jobs"]
    assert refreshed(job_input).status == "dispatching"


def test_a_slow_worker_is_not_waited_for_longer_than_the_limit(
    settings: Settings, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    settings.CALL_SECONDS = 0.2
    scripted.script["POST /v1/jobs"] = Said(201, ACCEPTED.body, seconds=30)
    hand_out(worker)
    assert refreshed(job_input).status == "dispatching"
    assert job_input.remote_last_error is not None


def test_no_more_is_claimed_than_there_are_slots(
    job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker
) -> None:
    job = job_of(files=5)
    Worker.objects.update(capabilities={"maxConcurrentJobs": 1, "queueSize": 2})
    scripted.script["POST /v1/jobs"] = [
        Said(201, {"workerJobId": f"w-{number}", "status": "queued"}) for number in range(5)
    ]
    hand_out(worker)
    hand_out(worker)
    statuses = list(job.inputs.values_list("status", flat=True))
    assert statuses == ["running", "running", "running", "queued", "queued"]


def test_a_job_canceled_during_the_dispatch_is_stopped_at_the_worker(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    taken = claim(worker)[0]
    batches.cancel_input(job_input, "anna")
    assert not dispatch.accept(taken, "w-1")
    scripted.script["POST /v1/jobs/w-1/cancel"] = Said(200, {"status": "cancel_requested"})
    poll.poll_worker(worker.pk)
    assert [heard.path for heard in scripted.heard] == ["/v1/jobs/w-1/cancel"]
    assert refreshed(job_input).status == "canceled"
    assert not job_input.attempts.get().cancel_pending


def test_a_recording_that_is_gone_fails_with_a_sentence(
    job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    job_input.upload.path.unlink()
    hand_out(worker)
    assert (refreshed(job_input).status, job_input.error_code) == ("failed", "UPLOAD_MISSING")
    assert not scripted.heard


def test_a_drained_or_disconnected_worker_gets_nothing(job_input: JobInput, worker: Worker) -> None:
    for changes in ({"drain": True}, {"drain": False, "is_connected": False}, {"enabled": False}):
        Worker.objects.update(**changes)
        hand_out(worker)
        assert not dispatch.workers_to_hand_over()
    assert refreshed(job_input).status == "queued"
    assert not Attempt.objects.exists()


def test_a_second_active_attempt_of_an_input_is_forbidden_by_the_database(attempt: Attempt) -> None:
    from django.db import IntegrityError, transaction

    again: dict[str, Any] = {"number": 2, "deadline_at": attempt.deadline_at, "worker": attempt.worker}
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(job_input=attempt.job_input, **again)


@pytest.mark.parametrize("then", ["refused", "busy"])
def test_a_worker_whose_answer_was_lost_is_told_when_the_file_goes_elsewhere(
    then: str, job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker
) -> None:
    entry = job_of().inputs.get()
    claim(worker)
    lost = Said(502, b"<html>")  # it took the file, and a proxy ate its answer
    scripted.script["POST /v1/jobs"] = [lost, Said(429, {"error": {"code": "BUSY", "message": ""}})]
    dispatch.hand_over(worker.pk)
    Attempt.objects.update(sent_at=timezone.now() - timedelta(seconds=9))
    if then == "refused":
        Worker.objects.update(url="http://127.0.0.1:9")
    dispatch.hand_over(worker.pk)
    entry.refresh_from_db()
    assert (entry.status, Attempt.objects.get().cancel_pending) == ("queued", True)


def test_a_file_that_was_canceled_while_others_were_dispatched_is_not_sent(
    job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker
) -> None:
    entry = job_of().inputs.get()
    claim(worker)
    read_before = list(dispatch._unanswered())
    batches.cancel_input(entry, "anna")
    dispatch._hand_over(read_before, worker)
    assert not [heard for heard in scripted.heard if heard.method == "POST"]


def test_a_file_that_no_worker_answered_for_waits_as_a_new_one_does(
    job_of: Callable[..., Job], worker: Worker, settings: Settings
) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 2
    entry = job_of().inputs.get()
    dispatch._give_up(claim(worker)[0])
    entry.refresh_from_db()
    assert (entry.status, entry.worker_name) == ("queued", "")
