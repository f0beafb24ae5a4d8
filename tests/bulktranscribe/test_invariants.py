"""What must always be true: each invariant goes red for its own breach, and the tools say so."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from bulktranscribe.integrity import invariants, storage_audit
from bulktranscribe.tasks import prune
from jobs.models import Job, JobEvent, JobInput, Result, Session, Upload
from remoteworker.attempts import results
from remoteworker.models import Attempt, StagedOutput, Tick, Worker

DOCUMENT = b'{"segments": [{"start": 0, "end": 1, "text": "hi"}], "duration": 1.0}'


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    for name in ("MEDIA_DIR", "RESULTS_DIR", "TEMP_DIR"):
        folder = tmp_path / name
        folder.mkdir()
        setattr(settings, name, folder)


def stage(attempt: Attempt, tmp_path: Path, content: bytes = DOCUMENT) -> StagedOutput:
    import hashlib

    draft = tmp_path / "draft"
    draft.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return results.stage(attempt, str(attempt.job_input_id), "json", draft, digest)


@pytest.fixture
def completed(attempt: Attempt, tmp_path: Path) -> JobInput:
    stage(attempt, tmp_path)
    output = {"inputId": str(attempt.job_input_id), "filename": "x", "type": "json"}
    message: Any = {"workerJobId": "w-1", "status": "complete", "outputs": [output], "error": None}
    results.finish(attempt, message)
    return JobInput.objects.get(pk=attempt.job_input_id)


def numbers() -> set[int]:
    return {broken.number for broken in invariants.check()}


def break_lease(entry: JobInput) -> None:
    Tick.objects.update_or_create(name="poll_workers", defaults={"at": timezone.now()})
    past = timezone.now() - timedelta(seconds=61)
    Attempt.objects.update(ended_at=None, lease_until=past, outcome="")
    JobInput.objects.update(status="running", percent=0)


def delete_file(entry: JobInput) -> None:
    entry.result.files.get().absolute_path.unlink()


def damage_file(entry: JobInput) -> None:
    entry.result.files.get().absolute_path.write_bytes(DOCUMENT[::-1])


def leave_file(entry: JobInput) -> None:
    entry.upload.path.with_name("left").write_bytes(b"x")


BREACHES: list[tuple[int, Callable[[JobInput], object]]] = [
    (1, lambda entry: JobInput.objects.update(status="running")),
    (1, lambda entry: Attempt.objects.update(ended_at=None)),
    (2, lambda entry: Result.objects.update(attempt_number=7)),
    (2, lambda entry: Attempt.objects.update(outcome="failed")),
    (3, lambda entry: JobInput.objects.update(attempt_count=5)),
    (4, lambda entry: Result.objects.all().delete()),
    (4, damage_file),
    (5, break_lease),
    (6, lambda entry: JobEvent.objects.filter(event="accepted").delete()),
    (6, lambda entry: JobInput.objects.update(status="failed")),
    (7, lambda entry: JobInput.objects.update(percent=50)),
    (8, lambda entry: JobInput.objects.update(status="canceled")),
    (9, delete_file),
    (9, leave_file),
    (10, lambda entry: Job.objects.update(status="running")),
]


def test_a_completed_file_breaks_nothing(completed: JobInput) -> None:
    assert invariants.check() == []
    said = StringIO()
    call_command("check_invariants", stdout=said)
    assert "hold" in said.getvalue()


@pytest.mark.parametrize(("number", "breach"), BREACHES)
def test_each_breach_is_named_by_its_number(
    number: int, breach: Callable[[JobInput], object], completed: JobInput
) -> None:
    breach(completed)
    assert number in numbers()
    with pytest.raises(CommandError):
        call_command("check_invariants", stdout=StringIO())


def test_what_nobody_knows_is_swept_once_it_is_old(completed: JobInput, settings: Settings) -> None:
    left = Path(settings.RESULTS_DIR) / "ab" / "left"
    draft = Path(settings.TEMP_DIR) / "half-an-upload"
    left.parent.mkdir()
    for path in (left, draft):
        path.write_bytes(b"x")
    assert storage_audit.sweep() == 0, "its row may be on its way"
    for path in (left, draft):
        os.utime(path, (time.time() - 7200,) * 2)
    prune()
    assert not left.parent.exists()
    assert not draft.exists()
    assert storage_audit.look(verify=True).is_clean
    assert Tick.objects.filter(name="prune").exists()


def test_a_result_stays_however_its_attempts_went_on(completed: JobInput, settings: Settings) -> None:
    settings.ORPHAN_SECONDS = 0.0
    StagedOutput.objects.all().delete()
    storage_audit.sweep()
    assert completed.result.files.get().absolute_path.exists()
    assert completed.upload.path.exists()


def test_the_sweep_never_holds_the_rows_of_all_files_at_once(
    completed: JobInput, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORPHAN_SECONDS = 0.0
    storage_audit.sweep()  # what other tests left in the folder that all share
    keep_uploads(completed.upload.session, 60)
    rows, held = storage_audit._rows, []

    def counted(ids: Any = None) -> Any:
        known = rows(ids)
        held.append(len(known))
        return known

    monkeypatch.setattr(storage_audit, "AT_A_TIME", 20)
    monkeypatch.setattr(storage_audit, "_rows", counted)
    assert storage_audit.sweep() == 0
    assert sum(held) >= 60
    assert max(held) <= 20


def keep_uploads(session: Session, count: int) -> None:
    made = Upload.objects.bulk_create(
        Upload(session=session, name=f"{number}.wav", size_bytes=1, sha256="0" * 64)
        for number in range(count)
    )
    for upload in made:
        upload.path.parent.mkdir(parents=True, exist_ok=True)
        upload.path.write_bytes(b"x")


def test_outputs_of_a_replaced_attempt_go_and_those_of_a_last_failure_stay(
    attempt: Attempt, job_input: JobInput, tmp_path: Path, settings: Settings
) -> None:
    path = stage(attempt, tmp_path).absolute_path
    settings.ORPHAN_SECONDS = 0.0
    attempt.end(Attempt.Outcome.FAILED)
    JobInput.objects.update(status="failed")
    storage_audit.sweep()
    assert path.exists(), "it is all there is of this file"
    JobInput.objects.update(attempt_count=2)
    storage_audit.sweep()
    assert not path.exists()
    assert not StagedOutput.objects.exists()


def test_the_storage_audit_says_what_is_wrong_and_mends_what_it_may(
    completed: JobInput, settings: Settings
) -> None:
    leave_file(completed)
    damage_file(completed)
    said = StringIO()
    with pytest.raises(CommandError):
        call_command("audit_storage", verify=True, stdout=said)
    assert "orphaned" in said.getvalue()
    assert "damaged" in said.getvalue()
    settings.ORPHAN_SECONDS = 0.0
    completed.result.files.get().absolute_path.write_bytes(DOCUMENT)
    call_command("audit_storage", verify=True, remove_orphans=True, stdout=said)
    assert "Storage check passed" in said.getvalue()


@pytest.mark.parametrize("deleted", ["upload", "job", "session"])
def test_requeue_leaves_what_was_deleted(deleted: str, job_input: JobInput) -> None:
    JobInput.objects.update(status="failed", error_code="OUT_OF_MEMORY")
    rows: dict[str, Any] = {
        "upload": job_input.upload, "job": job_input.job, "session": job_input.job.session
    }  # fmt: skip
    rows[deleted].deleted_at = timezone.now()
    rows[deleted].save(update_fields=["deleted_at"])
    said = StringIO()
    call_command("requeue", failed=True, stdout=said)
    assert said.getvalue() == "Requeued: 0\n"
    with pytest.raises(CommandError, match="deleted"):
        call_command("requeue", str(job_input.pk), stdout=said)
    job_input.refresh_from_db()
    assert job_input.status == "failed"


def test_requeue_puts_back_what_failed_and_takes_from_workers_only_when_told(
    attempt: Attempt, job_input: JobInput
) -> None:
    said = StringIO()
    call_command("requeue", str(job_input.pk), stdout=said)
    assert "Requeued: 0" in said.getvalue()
    call_command("requeue", str(job_input.job_id), running=True, stdout=said)
    job_input.refresh_from_db()
    assert job_input.status == "queued"
    JobInput.objects.update(status="failed", error_code="REMOTE_TIMEOUT")
    call_command("requeue", failed=True, code="OUT_OF_MEMORY", stdout=said)
    job_input.refresh_from_db()
    assert job_input.status == "failed", "another code"
    call_command("requeue", failed=True, code="REMOTE_TIMEOUT", stdout=said)
    job_input.refresh_from_db()
    assert job_input.status == "queued"
    for wrong in ([], ["not-an-id"], ["00000000-0000-0000-0000-000000000000"]):
        with pytest.raises(CommandError):
            call_command("requeue", *wrong, stdout=said)


def test_worker_status_shows_every_worker_and_no_token(worker: Worker, attempt: Attempt) -> None:
    Worker.objects.update(speeds={"base": 12.5}, drain=True)
    said = StringIO()
    call_command("worker_status", stdout=said)
    text = said.getvalue()
    assert "box" in text
    assert "draining" in text
    assert "base 12.5×" in text
    assert worker.token not in text
    call_command("worker_status", json=True, stdout=said)
    assert '"active": 1' in said.getvalue()
