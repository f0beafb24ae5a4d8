"""What workers send back: staged as it comes, committed exactly once."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from jobs import batches
from jobs.models import Job, JobInput, Result
from jobs.statuses import Event
from remoteworker import signing
from remoteworker.attempts import dispatch, job_requests
from remoteworker.models import Attempt, StagedOutput, Worker
from tests.conftest import WORKER_TOKEN
from tests.steps import claim

DOCUMENT = {
    "text": "So the mill closed.",
    "language": "en",
    "segments": [
        {
            "start": 0.5,
            "end": 2.0,
            "text": " So the mill closed.",
            "words": [{"word": " So", "start": 0.5, "end": 0.7, "probability": 0.9}],
        }
    ],
    "model": "base",
    "engine": "reference",
}
BEARER = {"Authorization": f"Bearer {WORKER_TOKEN}"}


class Sender:
    """A worker's side of the write-back."""

    def __init__(self, attempt: Attempt) -> None:
        self.job_id = attempt.job_input.job_id
        self.input_id = str(attempt.job_input_id)
        self.worker_job_id = "w-1"
        self.headers = dict(BEARER)
        self.client = Client()

    def outputs(self, content: bytes | None = None, **changes: str) -> Any:
        document = json.dumps(DOCUMENT).encode() if content is None else content
        fields = {
            "workerJobId": self.worker_job_id,
            "inputId": self.input_id,
            "outputType": "json",
            **changes,
        }
        file = SimpleUploadedFile("out.json", document)
        url = f"/api/jobs/{self.job_id}/worker/outputs"
        return self.client.post(url, {**fields, "file": file}, headers=self.headers)

    def complete(self, **changes: Any) -> Any:
        body = {
            "workerJobId": self.worker_job_id,
            "controllerJobId": str(self.job_id),
            "status": "complete",
            "outputs": [{"inputId": self.input_id, "filename": "mill.json", "type": "json"}],
            "error": None,
            **changes,
        }
        url = f"/api/jobs/{self.job_id}/worker/complete"
        return self.client.post(url, json.dumps(body), content_type="application/json", headers=self.headers)


@pytest.fixture
def sender(attempt: Attempt) -> Sender:
    return Sender(attempt)


def code_of(response: Any) -> str:
    return str(response.json()["error"]["code"])


def test_outputs_then_complete_make_a_result_and_a_transcript(sender: Sender, job_input: JobInput) -> None:
    staged = sender.outputs()
    assert (staged.status_code, staged.json()["status"]) == (200, "ok")
    done = sender.complete()
    assert (done.status_code, done.json()) == (200, {"status": "ok", "outputsReceived": 1})
    job_input.refresh_from_db()
    assert (job_input.status, job_input.percent, job_input.job.status) == ("complete", 100.0, "complete")
    file = job_input.result.files.get()
    assert json.loads(file.absolute_path.read_bytes()) == DOCUMENT
    assert job_input.transcript.segments.get().text == "So the mill closed."
    assert Attempt.objects.get().outcome == "complete"


def test_the_same_output_twice_is_one_output(sender: Sender, attempt: Attempt) -> None:
    first, second = sender.outputs(), sender.outputs()
    assert first.json() == second.json()
    folder = Path(settings.RESULTS_DIR) / attempt.pk.hex
    assert len(list(folder.iterdir())) == StagedOutput.objects.count() == 1


def test_complete_twice_answers_the_same_and_commits_once(sender: Sender) -> None:
    sender.outputs()
    first, second = sender.complete(), sender.complete()
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert Result.objects.count() == 1


def test_complete_before_its_outputs_is_refused_and_commits_nothing(
    sender: Sender, job_input: JobInput
) -> None:
    response = sender.complete()
    assert (response.status_code, code_of(response)) == (422, "REMOTE_OUTPUTS_MISSING")
    job_input.refresh_from_db()
    assert job_input.status == "running"


def test_no_token_is_401_and_a_wrong_one_403(sender: Sender) -> None:
    sender.headers = {}
    assert (sender.outputs().status_code, sender.complete().status_code) == (401, 401)
    for wrong in ("Bearer nonsense", "Basic " + WORKER_TOKEN, "Bearer", "Bearer \u00e4"):
        sender.headers = {"Authorization": wrong}
        assert (sender.outputs().status_code, sender.complete().status_code) == (403, 403)


def test_a_token_with_blanks_around_it_is_the_same_token(sender: Sender) -> None:
    sender.headers = {"Authorization": f"Bearer  {WORKER_TOKEN} "}
    assert sender.outputs().status_code == 200


def test_another_worker_may_not_write_to_this_attempt(sender: Sender) -> None:
    other = Worker(name="other", url="http://127.0.0.1:10")
    other.token = "another-token-0123456789"
    other.save()
    sender.headers = {"Authorization": "Bearer another-token-0123456789"}
    response = sender.outputs()
    assert (response.status_code, code_of(response)) == (409, "STALE_ATTEMPT")


def test_a_late_result_of_a_replaced_attempt_is_refused(
    sender: Sender, attempt: Attempt, job_input: JobInput, worker: Worker
) -> None:
    sender.outputs()
    job_input.move_to(Event.LOST, actor="c", code="REMOTE_JOB_NOT_FOUND")
    attempt.end(Attempt.Outcome.FAILED)
    batches.retry_input(job_input, "anna")
    assert dispatch.accept(claim(worker)[0], "w-2")
    for response in (sender.outputs(), sender.complete()):
        assert (response.status_code, code_of(response)) == (409, "STALE_ATTEMPT")
    job_input.refresh_from_db()
    assert job_input.status == "running"


def test_a_late_result_of_the_latest_attempt_is_taken(
    sender: Sender, attempt: Attempt, job_input: JobInput
) -> None:
    job_input.move_to(Event.LOST, actor="c", code="REMOTE_LEASE_EXPIRED")
    attempt.end(Attempt.Outcome.FAILED)
    assert (sender.outputs().status_code, sender.complete().status_code) == (200, 200)
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == ("complete", "")


def test_a_result_that_waits_for_its_retry_is_refused(
    sender: Sender, attempt: Attempt, job_input: JobInput
) -> None:
    job_input.move_to(Event.LOST, actor="c", code="REMOTE_JOB_NOT_FOUND")
    attempt.end(Attempt.Outcome.FAILED)
    batches.retry_input(job_input, "anna")
    assert sender.outputs().status_code == 409
    assert sender.complete().status_code in (409, 422)
    job_input.refresh_from_db()
    assert job_input.status == "queued"


def test_a_canceled_file_takes_nothing(sender: Sender, job_input: JobInput) -> None:
    sender.outputs()
    batches.cancel_input(job_input, "anna")
    for response in (sender.outputs(), sender.complete()):
        assert (response.status_code, code_of(response)) == (410, "CANCELED")
    assert not Result.objects.exists()


def test_a_lost_reply_to_the_dispatch_is_learnt_from_the_first_output(
    job_input: JobInput, worker: Worker
) -> None:
    taken = claim(worker)[0]
    sender = Sender(taken)
    assert sender.outputs(attempt="1").status_code == 200
    assert sender.complete(attempt=1).status_code == 200
    taken.refresh_from_db()
    job_input.refresh_from_db()
    assert (taken.worker_job_id, job_input.status) == ("w-1", "complete")


def test_a_transcript_that_cannot_be_read_fails_the_file_with_a_reason(
    sender: Sender, job_input: JobInput
) -> None:
    huge = b'{"segments": [{"start": 1' + b"0" * 400 + b', "text": "a"}]}'  # a time that is none
    for content in (b"not json", b"[]", b'{"segments": 5}', b"[" * 100_000, huge):
        JobInput.objects.update(status="running")
        Attempt.objects.update(ended_at=None)
        StagedOutput.objects.all().delete()
        assert sender.outputs(content).status_code == 200
        response = sender.complete()
        assert (response.status_code, code_of(response)) == (422, "RESULT_UNREADABLE")
        job_input.refresh_from_db()
        assert (job_input.status, job_input.error_code) == ("failed", "RESULT_UNREADABLE")


def test_a_failure_keeps_the_workers_code_and_leaves_the_neighbours(
    sender: Sender, job_input: JobInput
) -> None:
    error = {"code": "INPUT_UNDECODABLE", "message": "no audio stream"}
    response = sender.complete(status="failed", outputs=[], error=error)
    assert (response.status_code, response.json()["outputsReceived"]) == (200, 0)
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code, job_input.error_message) == (
        "failed",
        "INPUT_UNDECODABLE",
        "no audio stream",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"outputType": "exe"},
        {"inputId": "c0ffee00-0000-4000-8000-000000000000"},
    ],
)
def test_a_foreign_input_or_type_is_refused(changes: dict[str, str], sender: Sender) -> None:
    assert sender.outputs(**changes).status_code == 422


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"status":"complete"}', b"[" * 50_000, b'{"status":[]}', b'{"status":1e999}']
)
def test_a_malformed_complete_is_400_and_changes_nothing(
    body: bytes, sender: Sender, job_input: JobInput
) -> None:
    url = f"/api/jobs/{sender.job_id}/worker/complete"
    response = sender.client.post(url, body, content_type="application/json", headers=BEARER)
    assert (response.status_code, code_of(response)) == (400, "INVALID_REQUEST")
    job_input.refresh_from_db()
    assert job_input.status == "running"


def test_odd_text_and_times_in_a_transcript_are_mended_and_every_format_still_writes(
    sender: Sender, job_input: JobInput, person: User
) -> None:
    document = {
        "language": "en",
        "segments": [
            {
                "start": 1.0,
                "end": 1e308,
                "text": " cut \ud83d here\0",
                "words": [{"word": " cut\ud83d", "start": 1.0, "end": 1e308, "probability": 5}],
                "speaker": "S\ud83d",
                "flags": ["a\0b"],
            },
        ],
    }
    assert sender.outputs(json.dumps(document).encode()).status_code == 200
    assert sender.complete().status_code == 200
    client = Client()
    client.force_login(person)
    for name in ("", "download.txt", "download.srt", "download.vtt", "download.json", "download.md"):
        response = client.get(f"/transcripts/{job_input.pk}/{name}")
        assert response.status_code == 200, name
    assert job_input.transcript.segments.get().text == "cut ? here"


# The signed link -------------------------------------------------------------------------------------


def link(attempt: Attempt, **changes: Any) -> str:
    job_input = attempt.job_input
    expires = changes.get("expires", int(timezone.now().timestamp()) + 60)
    signature = signing.sign_input(
        changes.get("job", job_input.job_id),
        changes.get("input", job_input.pk),
        changes.get("number", attempt.number),
        changes.get("signed", expires),
    )
    return f"/api/jobs/{job_input.job_id}/inputs/{job_input.pk}?expires={expires}&sig={changes.get('sig', signature)}"


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_signed_link_brings_the_file_with_range_and_digest(attempt: Attempt) -> None:
    response = Client().get(link(attempt))
    assert (response.status_code, body(response)) == (200, b"RIFF-some-bytes")
    assert response["ETag"] == f'"{attempt.job_input.upload.sha256}"'
    part = Client().get(link(attempt), headers={"Range": "bytes=5-"})
    assert (part.status_code, body(part)) == (206, b"some-bytes")


def test_every_wrong_link_is_one_and_the_same_403(attempt: Attempt, job_input: JobInput) -> None:
    past = int(timezone.now().timestamp()) - 1
    wrong = [
        link(attempt, expires=past),
        link(attempt, signed=past),
        link(attempt, sig="0" * 64),
        link(attempt, sig=""),
        link(attempt, sig="\u00e4"),
        link(attempt, number=2),
        link(attempt, input=attempt.pk),
        link(attempt, job=attempt.pk),
        link(attempt, expires="soon", signed=past),
        link(attempt).replace(str(job_input.pk), str(attempt.pk)),
        link(attempt).split("?")[0],
    ]
    answers = {(response.status_code, response.content) for response in map(Client().get, wrong)}
    assert len(answers) == 1
    assert answers.pop()[0] == 403


def test_the_link_of_an_attempt_that_is_over_is_void(attempt: Attempt, job_input: JobInput) -> None:
    url = link(attempt)
    batches.cancel_input(job_input, "anna")
    assert Client().get(url).status_code == 403


def test_a_link_signed_with_the_previous_key_still_works(attempt: Attempt, settings: Any) -> None:
    url = link(attempt)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key " * 4
    response = Client().get(url)
    assert response.status_code == 200
    body(response)
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(url).status_code == 403


def test_the_link_expires_with_the_attempts_deadline(attempt: Attempt, worker: Worker) -> None:
    request = job_requests.job_request(attempt, worker)
    expires = int(request.inputs[0].download_url.split("expires=")[1].split("&")[0])
    assert expires <= attempt.deadline_at.timestamp()
    assert attempt.deadline_at - timezone.now() <= timedelta(seconds=settings.REMOTE_WORKER_TIMEOUT_SECONDS)


def test_the_session_hash_is_short_keyed_and_stable(attempt: Attempt, settings: Any) -> None:
    session_id = Job.objects.get().session_id
    first = signing.session_hash(session_id)
    assert first == signing.session_hash(session_id)
    assert len(first) == 16
    settings.SECRET_KEY = "another key " * 4
    assert signing.session_hash(session_id) != first
