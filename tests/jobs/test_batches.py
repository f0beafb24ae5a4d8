"""The verbs: start, cancel, retry."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import Job, JobInput, Session, Upload
from jobs.statuses import Event
from remoteworker import tasks
from remoteworker.attempts import dispatch
from remoteworker.models import Attempt, Worker
from tests.steps import claim


def test_a_job_has_one_input_a_file_in_order(job_of: Callable[..., Job]) -> None:
    job = job_of(files=3, language="de")
    assert [entry.upload.name for entry in job.inputs.all()] == ["file-0.wav", "file-1.wav", "file-2.wav"]
    assert (job.status, job.number, job.worker_options().language) == ("queued", 1, "de")
    assert job_of().number == 2


@pytest.mark.parametrize(
    ("options", "field", "code"),
    [
        (Options(model="gigantic"), "model", "UNKNOWN_MODEL"),
        (Options(model="base", language="xx"), "language", "UNKNOWN_LANGUAGE"),
        (Options(model="tiny.en", language="de"), "language", "INVALID_OPTION"),
        (Options(model="base", min_speakers=5, max_speakers=2), "minSpeakers", "INVALID_OPTION"),
        (Options(model="base", num_speakers=0), "numSpeakers", "INVALID_OPTION"),
    ],
)
def test_an_impossible_choice_is_refused_with_its_field(
    options: Options, field: str, code: str, session: Session, person: User, upload_of: Callable[..., Upload]
) -> None:
    with pytest.raises(batches.InvalidJob) as refusal:
        batches.create_job(session, [upload_of()], options, use_remote=False, created_by=person)
    assert (refusal.value.field, refusal.value.code) == (field, code)
    assert not Job.objects.exists()


def test_a_file_of_another_session_cannot_be_used(
    session: Session, person: User, upload_of: Callable[..., Upload]
) -> None:
    other = Session.objects.create(owner=person, name="Other")
    with pytest.raises(batches.InvalidJob, match="not in this session"):
        batches.create_job(other, [upload_of()], Options(model="base"), use_remote=False, created_by=person)


def test_cancel_fences_the_attempt_at_once(attempt: Attempt, job_input: JobInput) -> None:
    assert batches.cancel_input(job_input, "anna")
    attempt.refresh_from_db()
    job_input.refresh_from_db()
    assert job_input.status == "canceled"
    assert (attempt.outcome, attempt.cancel_pending) == ("canceled", True)
    assert not batches.cancel_input(job_input, "anna")


def test_cancel_of_a_job_leaves_what_has_ended(job_of: Callable[..., Job]) -> None:
    job = job_of(files=2)
    first = job.inputs.all()[0]
    first.move_to(Event.CLAIMED, actor="c")
    first.move_to(Event.REFUSED, actor="c", code="REMOTE_REFUSED")
    assert batches.cancel_job(job, "anna") == 1
    assert list(job.inputs.values_list("status", flat=True)) == ["failed", "canceled"]


def test_a_double_click_on_retry_queues_once(attempt: Attempt, job_input: JobInput) -> None:
    job_input.move_to(Event.LOST, actor="c", code="REMOTE_JOB_NOT_FOUND", percent=40.0)
    attempt.end(Attempt.Outcome.FAILED)
    assert batches.retry_input(job_input, "anna")
    assert not batches.retry_input(JobInput.objects.get(pk=job_input.pk), "anna")
    job_input.refresh_from_db()
    assert (job_input.status, job_input.percent, job_input.error_code) == ("queued", 0.0, "")


def test_retry_of_a_job_takes_the_failed_ones_and_leaves_the_complete(
    job_of: Callable[..., Job], worker: Worker
) -> None:
    job = job_of(files=3)
    Worker.objects.filter(pk=worker.pk).update(capacity=3)
    worker.refresh_from_db()
    for number, taken in enumerate(claim(worker, 3)):
        dispatch.accept(taken, f"w-{number}")
        event = Event.COMPLETED if number == 0 else Event.FAILED_BY_WORKER
        taken.job_input.move_to(event, actor="box", code="" if number == 0 else "ENGINE_CRASHED")
        taken.end(Attempt.Outcome.FAILED)
    assert batches.retry_job(job, "anna") == 2
    assert list(job.inputs.values_list("status", flat=True)) == ["complete", "queued", "queued"]


def test_a_retry_gets_the_next_attempt_number(attempt: Attempt, job_input: JobInput, worker: Worker) -> None:
    job_input.move_to(Event.LOST, actor="c", code="REMOTE_JOB_NOT_FOUND")
    attempt.end(Attempt.Outcome.FAILED)
    batches.retry_input(job_input, "anna")
    again = claim(worker)[0]
    assert (attempt.number, again.number) == (1, 2)


def test_a_job_of_many_files_is_canceled_and_retried_in_parts_that_let_others_write(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "IN_ONE_GO", 2)
    job = job_of(files=5)
    assert batches.cancel_job(job, "anna") == 5
    assert batches.retry_job(job, "anna") == 5
    assert batches.retry_job(job, "anna") == 0
    assert {entry.status for entry in job.inputs.all()} == {"queued"}


def test_a_cancel_that_a_killed_process_left_half_done_is_finished(
    job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, other = job_of(files=4), job_of()
    real, left = batches.cancel_input, [2]

    def killed_after_two(entry: JobInput, actor: str) -> bool:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(entry, actor)

    monkeypatch.setattr(batches, "IN_ONE_GO", 2)
    with monkeypatch.context() as dying:
        dying.setattr(batches, "cancel_input", killed_after_two)
        with pytest.raises(KeyboardInterrupt):
            batches.cancel_job(job, "anna")
    assert job.inputs.filter(status="canceled").count() == 2
    tasks.reap()
    assert job.inputs.filter(status="canceled").count() == 4
    assert other.inputs.get().status == "queued"
    batches.retry_job(job, "anna")
    tasks.reap()
    assert job.inputs.filter(status="queued").count() == 4, "it is wanted again"
