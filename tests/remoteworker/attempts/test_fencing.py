"""Boxes that share one token: what an earlier attempt's worker sends is never taken for the current attempt's."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from jobs.models import JobInput
from remoteworker.attempts import dispatch, poll
from remoteworker.models import Attempt, Worker
from tests.conftest import WORKER_TOKEN
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim

BEARER = {"Authorization": f"Bearer {WORKER_TOKEN}"}
DOCUMENT = b'{"segments": [{"start": 0, "end": 1, "text": "hi"}]}'


def send_output(entry: JobInput, worker_job_id: str, **more: str) -> int:
    fields = {"workerJobId": worker_job_id, "inputId": str(entry.pk), "outputType": "json", **more}
    file = SimpleUploadedFile("out.json", DOCUMENT)
    url = f"/api/jobs/{entry.job_id}/worker/outputs"
    return Client().post(url, {**fields, "file": file}, headers=BEARER).status_code


def send_complete(entry: JobInput, worker_job_id: str, **more: Any) -> int:
    output = {"inputId": str(entry.pk), "filename": "x", "type": "json"}
    body = {
        "workerJobId": worker_job_id, "controllerJobId": str(entry.job_id), "status": "complete",
        "outputs": [output], "error": None, **more,
    }  # fmt: skip
    url = f"/api/jobs/{entry.job_id}/worker/complete"
    answer = Client().post(url, json.dumps(body), content_type="application/json", headers=BEARER)
    return answer.status_code


def note_sent(attempt: Attempt) -> None:
    """It was handed over, and whatever was answered got lost."""
    Attempt.objects.filter(pk=attempt.pk).update(sent_at=timezone.now())
    attempt.refresh_from_db()


@pytest.fixture
def first(job_input: JobInput, worker: Worker) -> Attempt:
    """Handed to a worker whose answer was lost, then given back."""
    attempt = claim(worker)[0]
    note_sent(attempt)
    dispatch.push_back(attempt, 0)
    return attempt


@pytest.fixture
def second(first: Attempt, job_input: JobInput) -> Attempt:
    """On its way to another box that has the same token; not yet answered."""
    other = Worker(name="other", kind="local", url="http://127.0.0.1:10", is_connected=True)
    other.token = WORKER_TOKEN
    other.save()
    attempt = claim(other)[0]
    note_sent(attempt)
    job_input.refresh_from_db()
    return attempt


@pytest.mark.parametrize("more", [{}, {"attempt": "1"}], ids=["older worker", "with its attempt"])
def test_the_worker_of_a_replaced_attempt_is_not_taken_for_the_next_one(
    more: dict[str, str], second: Attempt, job_input: JobInput
) -> None:
    assert send_output(job_input, "w-1", **more) == 409
    assert send_complete(job_input, "w-1", **({"attempt": 1} if more else {})) == 409
    second.refresh_from_db()
    assert second.worker_job_id == ""
    assert dispatch.accept(second, "w-2")
    assert send_output(job_input, "w-2", attempt="2") == 200
    assert send_complete(job_input, "w-2", attempt=2) == 200


def test_the_worker_of_the_next_attempt_is_known_by_its_number(second: Attempt, job_input: JobInput) -> None:
    assert send_output(job_input, "w-2", attempt="2") == 200
    second.refresh_from_db()
    job_input.refresh_from_db()
    assert (second.worker_job_id, job_input.status) == ("w-2", "running")


def test_an_id_that_belongs_to_another_attempt_than_it_says_is_refused(
    attempt: Attempt, job_input: JobInput
) -> None:
    assert send_output(job_input, "w-1", attempt="2") == 409
    assert send_complete(job_input, "w-1", attempt=2) == 409
    assert send_output(job_input, "w-1", attempt="1") == 200


def test_a_farewell_that_names_no_file_ends_no_other_file(
    second: Attempt, job_input: JobInput, worker: Worker
) -> None:
    assert send_complete(job_input, "w-1", status="canceled", outputs=[]) == 409
    job_input.refresh_from_db()
    assert job_input.status == "dispatching"


def test_the_answer_to_the_dispatch_is_the_last_word_on_who_runs_it(
    second: Attempt, job_input: JobInput
) -> None:
    Attempt.objects.filter(pk=second.pk).update(worker_job_id="w-1")  # learnt from whoever wrote back
    JobInput.objects.update(status="running")
    assert dispatch.accept(second, "w-2")
    assert second.worker_job_id == "w-2"
    assert send_output(job_input, "w-1") == 409, "the other one stops"
    assert send_output(job_input, "w-2") == 200


def test_what_is_learnt_from_a_write_back_never_takes_the_place_of_the_answer(
    second: Attempt, job_input: JobInput
) -> None:
    read_before = Attempt.objects.select_related("job_input__job", "worker").get(pk=second.pk)
    assert dispatch.accept(second, "w-2")
    assert not dispatch.accept(read_before, "w-1", is_answer=False)
    assert (read_before.worker_job_id, read_before.cancel_pending) == ("w-2", False)


@pytest.mark.parametrize("known", ["", "w-1"])
def test_a_dispatch_that_came_too_late_is_stopped_at_its_worker(
    known: str, job_input: JobInput, worker: Worker, scripted: ScriptedWorker
) -> None:
    late = claim(worker)[0]
    note_sent(late)
    dispatch.move_away(late, "anna", "Moved.")
    Attempt.objects.filter(pk=late.pk).update(worker_job_id=known, cancel_pending=False)
    assert not dispatch.accept(late, "w-2")
    assert (late.worker_job_id, late.cancel_pending) == ("w-2", True)
    scripted.script["POST /v1/jobs/w-2/cancel"] = Said(200, {"status": "cancel_requested"})
    poll.poll_worker(worker.pk)
    late.refresh_from_db()
    assert not late.cancel_pending
