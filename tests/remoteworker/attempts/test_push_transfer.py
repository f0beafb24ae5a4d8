"""Push mode, the controller's half, against a worker that says what the test tells it to."""

import errno
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Job, JobInput
from jobs.statuses import InputStatus
from remoteworker import tasks
from remoteworker.attempts import dispatch, job_requests, poll, push_transfer
from remoteworker.models import Attempt, Worker
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim

CONTENT = b"RIFF-some-bytes"
DOCUMENT = json.dumps({"segments": [{"start": 0.0, "end": 1.0, "text": " Hello."}]}).encode()


@pytest.fixture
def pushed(attempt: Attempt, scripted: ScriptedWorker) -> Attempt:
    """A running attempt in push mode, whose file the worker does not have."""
    Attempt.objects.filter(pk=attempt.pk).update(is_push=True)
    attempt.refresh_from_db()
    scripted.script[f"HEAD {address(attempt)}"] = Said(200, None, {"Upload-Offset": "0"})
    return attempt


def address(attempt: Attempt) -> str:
    return f"/v1/jobs/w-1/inputs/{attempt.job_input_id}"


def accepted(offset: int) -> Said:
    return Said(200, {"offset": offset, "complete": offset == len(CONTENT)})


def complete(attempt: Attempt, *kinds: str) -> Said:
    outputs = [{"inputId": str(attempt.job_input_id), "filename": "x", "type": kind} for kind in kinds]
    progress = {"percent": 100.0}
    body = {"workerJobId": "w-1", "status": "complete", "stage": "complete", "progress": progress}
    return Said(200, {**body, "outputs": outputs})


def document(content: bytes, digest: str = "") -> Said:
    return Said(200, content, {"ETag": f'"{digest or hashlib.sha256(content).hexdigest()}"'})


def puts(scripted: ScriptedWorker) -> list[tuple[str, bytes]]:
    return [(call.headers["Content-Range"], call.body) for call in scripted.heard if call.method == "PUT"]


def test_the_mode_is_the_attempts_own_and_the_local_worker_always_pulls(
    job_input: JobInput, worker: Worker, settings: Settings
) -> None:
    settings.REMOTE_WORKER_UPLOAD_MODE = "push"
    (local,) = claim(worker, 1)
    assert not local.is_push
    assert job_requests.job_request(local, worker).callback_url


def test_a_push_job_names_no_address(pushed: Attempt, worker: Worker) -> None:
    body = json.dumps(job_requests.job_request(pushed, worker).to_wire())
    assert "http" not in body
    assert f'"sizeBytes": {len(CONTENT)}' in body


def test_a_file_is_sent_from_where_the_worker_has_it(pushed: Attempt, scripted: ScriptedWorker) -> None:
    scripted.script[f"HEAD {address(pushed)}"] = Said(200, None, {"Upload-Offset": "5"})
    scripted.script[f"PUT {address(pushed)}"] = accepted(len(CONTENT))
    assert push_transfer.bring(str(pushed.pk)) is False
    assert puts(scripted) == [(f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}", CONTENT[5:])]
    pushed.refresh_from_db()
    assert (pushed.is_brought, pushed.brought_until) == (True, None)
    assert push_transfer.bring(str(pushed.pk)) is False
    assert len(puts(scripted)) == 1, "it is there: nothing is sent again"


def test_a_slice_in_the_wrong_place_goes_on_where_the_worker_says(
    pushed: Attempt, scripted: ScriptedWorker
) -> None:
    misplaced = Said(409, {"error": {"code": "OFFSET_MISMATCH", "message": "…"}, "offset": 9})
    scripted.script[f"PUT {address(pushed)}"] = [misplaced, accepted(len(CONTENT))]
    push_transfer.bring(str(pushed.pk))
    assert [body for _range, body in puts(scripted)] == [CONTENT, CONTENT[9:]]


def test_two_senders_never_share_a_file_and_a_dead_ones_claim_ends(
    pushed: Attempt, scripted: ScriptedWorker
) -> None:
    scripted.script[f"PUT {address(pushed)}"] = accepted(len(CONTENT))
    now = timezone.now()
    Attempt.objects.filter(pk=pushed.pk).update(brought_until=now + timedelta(seconds=30))
    assert push_transfer.bring(str(pushed.pk)) is False
    assert puts(scripted) == []
    Attempt.objects.filter(pk=pushed.pk).update(brought_until=now - timedelta(seconds=1))
    push_transfer.bring(str(pushed.pk))
    assert len(puts(scripted)) == 1


@pytest.mark.parametrize(
    "said", [Said(503, "a proxy's page"), Said(410, {"error": {"code": "JOB_OVER", "message": "…"}})]
)
def test_a_worker_that_does_not_take_it_leaves_the_judgement_to_the_poll(
    pushed: Attempt, scripted: ScriptedWorker, said: Said
) -> None:
    scripted.script[f"PUT {address(pushed)}"] = said
    assert push_transfer.bring(str(pushed.pk)) is False
    pushed.refresh_from_db()
    assert (pushed.is_brought, pushed.brought_until, pushed.ended_at) == (False, None, None)
    assert list(push_transfer.waiting()) == [pushed]


def test_a_recording_that_is_gone_from_the_disk_fails_at_once(
    pushed: Attempt, scripted: ScriptedWorker, job_input: JobInput
) -> None:
    job_input.upload.path.unlink()
    assert push_transfer.bring(str(pushed.pk)) is False
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == (InputStatus.FAILED, "UPLOAD_MISSING")
    pushed.refresh_from_db()
    assert pushed.cancel_pending, "the worker is told to delete its half"


def test_what_a_restarted_worker_lost_is_sent_again(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker
) -> None:
    Attempt.objects.filter(pk=pushed.pk).update(is_brought=True)
    body = {"workerJobId": "w-1", "status": "running", "stage": "downloading", "progress": {"percent": 0.0}}
    scripted.script["GET /v1/jobs/w-1"] = Said(200, body)
    poll.poll_worker(worker.pk)
    assert list(push_transfer.waiting()) == [pushed]


def test_documents_are_fetched_committed_once_and_deleted_over_there(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker, job_input: JobInput
) -> None:
    scripted.script["GET /v1/jobs/w-1"] = complete(pushed, "json")
    scripted.script[f"GET /v1/jobs/w-1/outputs/{job_input.pk}/json"] = document(DOCUMENT)
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == InputStatus.COMPLETE
    assert [file.output_type for file in job_input.result.files.all()] == ["json"]
    pushed.refresh_from_db()
    assert (pushed.outcome, pushed.cancel_pending) == (Attempt.Outcome.COMPLETE, True)
    poll.poll_worker(worker.pk)  # the DELETE is answered by a genuine 404: good enough
    pushed.refresh_from_db()
    assert not pushed.cancel_pending
    assert [call.method for call in scripted.heard].count("DELETE") == 1


def test_a_delete_is_repeated_until_the_worker_has_heard_it(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker
) -> None:
    Attempt.objects.filter(pk=pushed.pk).update(ended_at=timezone.now(), cancel_pending=True)
    scripted.script["DELETE /v1/jobs/w-1"] = [Said(503, "a proxy's page"), Said(200, {"status": "deleted"})]
    poll.poll_worker(worker.pk)
    assert Attempt.objects.get().cancel_pending
    poll.poll_worker(worker.pk)
    assert not Attempt.objects.get().cancel_pending


def test_a_damaged_document_is_fetched_again_and_the_whole_ones_are_not(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker, job_input: JobInput
) -> None:
    scripted.script["GET /v1/jobs/w-1"] = complete(pushed, "json", "markdown")
    path = f"GET /v1/jobs/w-1/outputs/{job_input.pk}"
    scripted.script[f"{path}/json"] = document(DOCUMENT)
    scripted.script[f"{path}/markdown"] = [document(b'{"a": 1}', digest="0" * 64), document(b'{"a": 1}')]
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == InputStatus.RUNNING
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert job_input.status == InputStatus.COMPLETE
    fetched = [call.path.rsplit("/", 1)[1] for call in scripted.heard if "/outputs/" in call.path]
    assert fetched == ["json", "markdown", "markdown"]


def test_documents_that_never_come_fail_the_file_with_a_sentence(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker, job_input: JobInput
) -> None:
    scripted.script["GET /v1/jobs/w-1"] = complete(pushed, "json")
    poll.poll_worker(worker.pk)
    Attempt.objects.filter(pk=pushed.pk).update(outputs_due_at=timezone.now())
    poll.poll_worker(worker.pk)
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == (InputStatus.FAILED, "REMOTE_OUTPUTS_MISSING")


def test_foreign_outputs_in_a_poll_are_not_fetched(
    pushed: Attempt, scripted: ScriptedWorker, worker: Worker, job_input: JobInput
) -> None:
    said: Any = complete(pushed, "json").body
    said["outputs"] = [{"inputId": "../../x", "filename": "x", "type": "../../etc/passwd"}]
    scripted.script["GET /v1/jobs/w-1"] = Said(200, said)
    poll.poll_worker(worker.pk)
    assert not [call for call in scripted.heard if "passwd" in call.path]
    job_input.refresh_from_db()
    assert job_input.status == InputStatus.RUNNING


def test_the_tick_asks_for_what_waits(
    pushed: Attempt, scripted: ScriptedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: asked.append((task.name, *args)))
    tasks.poll_workers()
    assert ("remoteworker.tasks.bring_file", str(pushed.pk)) in asked


def test_few_files_are_brought_at_once_so_that_ticks_and_polls_have_threads(
    job_of: Callable[..., Job], worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_of(files=7)
    for number, claimed in enumerate(claim(worker, 7)):
        dispatch.accept(claimed, f"w-{number}")
    Attempt.objects.update(is_push=True)
    sent: list[str] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, *args: sent.append(task.name))
    tasks.poll_workers()
    assert sent.count("remoteworker.tasks.bring_file") == push_transfer.SENDERS
    under_way = timezone.now() + timedelta(seconds=10)
    busy = [attempt.pk for attempt in push_transfer.waiting()[: push_transfer.SENDERS]]
    Attempt.objects.filter(pk__in=busy).update(brought_until=under_way)
    assert not push_transfer.bring(str(push_transfer.waiting()[0].pk))
    assert not push_transfer.next_to_bring()


def test_a_full_disk_here_holds_up_one_file_and_not_its_neighbours(
    job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_of(files=2)
    first, second = claim(worker, 2)
    dispatch.accept(first, "w-1")
    dispatch.accept(second, "w-2")
    Attempt.objects.update(
        is_push=True, is_brought=True, last_contact_at=timezone.now() - timedelta(seconds=50)
    )
    scripted.script["GET /v1/jobs/w-1"] = complete(first, "json")
    going_on = {
        "workerJobId": "w-2",
        "status": "running",
        "stage": "transcribing",
        "progress": {"percent": 5},
    }
    scripted.script["GET /v1/jobs/w-2"] = Said(200, going_on)

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(push_transfer, "_stage", full)
    poll.poll_worker(worker.pk)
    second.refresh_from_db()
    assert second.last_contact_at is not None
    assert timezone.now() - second.last_contact_at < timedelta(seconds=10)
