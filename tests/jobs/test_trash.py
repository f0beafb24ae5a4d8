"""What people delete: out of sight, brought back, gone for good; media that another job uses stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from bulktranscribe.integrity import storage_audit
from gpu_worker.shared.protocol import Options
from jobs import batches, trash
from jobs.models import Job, JobInput, Session, Upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def uploads(browser: Client, session: Session) -> list[Upload]:
    files = [SimpleUploadedFile(f"{name}.wav", name.encode()) for name in ("mill", "flood")]
    browser.post(f"/api/sessions/{session.pk}/uploads", {"files": files})
    return list(session.uploads.order_by("-name"))


def start(session: Session, files: list[Upload]) -> Job:
    return batches.create_job(
        session, files, Options(model="base"), use_remote=False, created_by=session.owner
    )


def state(browser: Client, session: Session) -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = browser.get(f"/api/sessions/{session.pk}/state").json()
    return answer


def age(model: type[Job] | type[Upload] | type[Session]) -> None:
    model.objects.exclude(deleted_at=None).update(deleted_at=timezone.now() - timedelta(days=8))


def test_a_deleted_job_is_out_of_sight_and_comes_back(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    job = start(session, uploads)
    entry = job.inputs.first()
    assert entry is not None
    assert browser.delete(f"/api/jobs/{job.pk}?recordings=true").status_code == 204
    shown = state(browser, session)
    assert (shown["jobs"], shown["uploads"]) == ([], [])
    assert [row["text"] for row in shown["deleted"]] == ["Job 1"]
    for url in (f"/api/jobs/{job.pk}", f"/api/inputs/{entry.pk}", f"/uploads/{entry.upload_id}/media"):
        assert browser.get(url).status_code == 404, url
    assert {row.status for row in job.inputs.all()} == {"canceled"}
    assert browser.post(f"/api/jobs/{job.pk}/restore").status_code == 204
    shown = state(browser, session)
    assert len(shown["jobs"]) == 1
    assert len(shown["uploads"]) == 2
    assert shown["deleted"] == []


def test_recordings_stay_unless_they_are_asked_for(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    job = start(session, uploads)
    browser.post(f"/jobs/{job.pk}/delete")
    assert [row["isNew"] for row in state(browser, session)["uploads"]] == [True, True]
    assert trash.empty(session) == 1
    assert Upload.objects.filter(deleted_at=None).count() == 2
    assert all(upload.path.exists() for upload in uploads)


def test_media_that_another_job_uses_are_never_deleted(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    mill, flood = uploads
    first = start(session, [mill, flood])
    second = start(session, [mill])
    browser.delete(f"/api/jobs/{first.pk}?recordings=true")
    age(Job)
    age(Upload)
    assert trash.purge() == 2
    assert [upload.name for upload in Upload.objects.all()] == ["mill.wav"]
    assert (mill.path.exists(), flood.path.exists()) == (True, False)
    assert second.inputs.count() == 1


def test_a_file_of_a_job_cannot_be_deleted_alone(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    mill, flood = uploads
    start(session, [mill])
    refused = browser.delete(f"/api/uploads/{mill.pk}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "UPLOAD_IN_USE")
    assert browser.delete(f"/api/uploads/{flood.pk}").status_code == 204
    assert [row["text"] for row in state(browser, session)["deleted"]] == ["flood.wav"]
    with pytest.raises(batches.InvalidJob):
        start(session, [flood])
    assert browser.post(f"/api/uploads/{flood.pk}/restore").status_code == 204
    start(session, [flood])


def test_a_deleted_file_that_is_sent_again_is_a_new_one(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    browser.delete(f"/api/uploads/{uploads[0].pk}")
    again = SimpleUploadedFile("mill.wav", b"mill")
    browser.post(f"/api/sessions/{session.pk}/uploads", {"files": [again]})
    age(Upload)
    trash.purge()
    (kept,) = session.uploads.filter(name="mill.wav")
    assert kept.path.read_bytes() == b"mill"


def test_a_deleted_session_is_nowhere_and_comes_back(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    job = start(session, uploads)
    browser.post(f"/sessions/{session.pk}/delete")
    assert job.inputs.filter(status="canceled").count() == 2
    for url in (f"/sessions/{session.pk}/", f"/api/sessions/{session.pk}/state", f"/api/jobs/{job.pk}"):
        assert browser.get(url).status_code == 404, url
    page = browser.get("/").content.decode()
    assert f"/sessions/{session.pk}/restore" in page
    assert f'href="/sessions/{session.pk}/"' not in page
    assert browser.post(f"/sessions/{session.pk}/restore").status_code == 302
    assert browser.get(f"/sessions/{session.pk}/").status_code == 200


def test_no_job_is_made_in_a_session_that_another_tab_deleted(
    session: Session, uploads: list[Upload]
) -> None:
    trash.delete_session(Session.objects.get(pk=session.pk), "anna")
    with pytest.raises(batches.InvalidJob, match="has been deleted"):
        start(session, uploads)
    assert not Job.objects.exists()


def test_what_was_kept_long_enough_is_gone_with_its_bytes(
    browser: Client, session: Session, uploads: list[Upload]
) -> None:
    start(session, uploads)
    trash.delete_session(session, "anna")
    assert trash.purge() == 0
    age(Session)
    trash.purge()
    assert not Session.objects.exists()
    assert not JobInput.objects.exists()
    assert not any(upload.path.exists() for upload in uploads)
    found = storage_audit.look()
    assert found.missing == []


def test_a_stranger_brings_nothing_back(
    stranger: User, browser: Client, session: Session, uploads: list[Upload]
) -> None:
    job = start(session, uploads[:1])
    browser.delete(f"/api/jobs/{job.pk}")
    browser.delete(f"/api/uploads/{uploads[1].pk}")
    other = Client()
    other.force_login(stranger)
    for url in (f"/api/jobs/{job.pk}/restore", f"/api/uploads/{uploads[1].pk}/restore"):
        assert other.post(url).status_code == 404, url
    browser.delete(f"/api/sessions/{session.pk}")
    assert other.post(f"/api/sessions/{session.pk}/restore").status_code == 404
    assert browser.post(f"/api/sessions/{session.pk}/restore").status_code == 204


def test_a_canceled_part_of_a_deleted_job_is_not_counted(
    browser: Client, session: Session, job_of: Callable[..., Job]
) -> None:
    job = job_of(files=3)
    assert state(browser, session)["list"]["found"] == 3  # type: ignore[call-overload]
    browser.delete(f"/api/jobs/{job.pk}")
    assert state(browser, session)["totals"]["files"] == 0  # type: ignore[call-overload]
