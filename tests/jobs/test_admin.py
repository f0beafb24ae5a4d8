"""The admin: lists and pages cost the same for any number of rows; ids are found; nothing leaks."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jobs.models import Job, JobEvent, JobInput, Session, Upload
from remoteworker.models import Attempt, Worker
from tests.steps import claim

LISTS = (
    "jobs/session",
    "jobs/upload",
    "jobs/job",
    "jobs/jobinput",
    "remoteworker/attempt",
    "remoteworker/worker",
)


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def queries(staff: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert staff.get(url).status_code == 200
    return len(asked)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_costs_the_same_however_many_rows_it_shows(
    model: str, staff: Client, job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    def more(jobs: int) -> None:
        for _ in range(jobs):
            job_of(files=3)
        claim(worker, jobs * 2)
        for number in range(jobs):
            Session.objects.create(owner=session.owner, name=f"Session {number}")

    more(1)
    few = queries(staff, f"/admin/{model}/")
    more(8)
    assert queries(staff, f"/admin/{model}/") == few


@pytest.mark.parametrize("files", [3, 60])
def test_the_page_of_a_job_costs_the_same_however_many_files_it_has(
    files: int, staff: Client, job_of: Callable[..., Job]
) -> None:
    job = job_of(files=files)
    assert queries(staff, f"/admin/jobs/job/{job.pk}/change/") <= 12


def test_the_page_of_a_large_job_leads_to_the_list_of_its_files(
    staff: Client, job_of: Callable[..., Job]
) -> None:
    job = job_of(files=101)
    page = staff.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    assert f"/admin/jobs/jobinput/?job__id__exact={job.pk}" in page
    assert "file-77.wav" not in page
    listed = staff.get(f"/admin/jobs/jobinput/?job__id__exact={job.pk}").content.decode()
    assert "101 files" in listed or "101 job inputs" in listed


def test_a_file_shows_its_attempts_and_moves(staff: Client, attempt: Attempt, job_input: JobInput) -> None:
    page = staff.get(f"/admin/jobs/jobinput/{job_input.pk}/change/").content.decode()
    assert JobEvent.objects.filter(job_input=job_input).exists()
    for part in (
        "box",
        "assigned to a worker with a free slot",
        f"/admin/remoteworker/attempt/{attempt.pk}/",
    ):
        assert part in page, part


@pytest.mark.parametrize("kind", ["input", "job", "upload", "session"])
def test_any_id_finds_the_files_it_belongs_to(kind: str, staff: Client, job_of: Callable[..., Job]) -> None:
    entry = job_of().inputs.get()
    job_of()
    ids = {
        "input": entry.pk, "job": entry.job_id, "upload": entry.upload_id, "session": entry.job.session_id,
    }  # fmt: skip
    page = staff.get("/admin/jobs/jobinput/", {"q": str(ids[kind])}).content.decode()
    assert str(entry.pk) in page


def test_files_are_found_by_failure_by_worker_and_by_name(
    staff: Client, job_of: Callable[..., Job], worker: Worker
) -> None:
    failed, other = job_of(files=2).inputs.all()
    JobInput.objects.filter(pk=failed.pk).update(
        status="failed", error_code="OUT_OF_MEMORY", worker_name="box"
    )
    for query in ({"code": "OUT_OF_MEMORY"}, {"worker": "box"}, {"status__exact": "failed"}):
        page = staff.get("/admin/jobs/jobinput/", query).content.decode()
        assert str(failed.pk) in page, query
        assert str(other.pk) not in page, query


def test_only_ones_own_transcripts_are_linked(staff: Client, job_of: Callable[..., Job]) -> None:
    entry = job_of().inputs.get()
    JobInput.objects.update(status="complete", percent=100)
    url = f"/transcripts/{entry.pk}/"
    assert url not in staff.get("/admin/jobs/jobinput/").content.decode()
    Session.objects.update(owner=User.objects.get(username="chief"))
    assert url in staff.get("/admin/jobs/jobinput/").content.decode()


def test_files_are_moved_and_asked_for_from_their_list(
    staff: Client, attempt: Attempt, job_input: JobInput
) -> None:
    def act(action: str) -> None:
        data = {"action": action, "_selected_action": [str(job_input.pk)]}
        assert staff.post("/admin/jobs/jobinput/", data).status_code == 302

    act("ask_now")
    act("move")
    job_input.refresh_from_db()
    attempt.refresh_from_db()
    assert (job_input.status, attempt.error_code) == ("queued", "MOVED")


def test_a_session_renamed_in_admin_keeps_what_the_program_counts(staff: Client, session: Session) -> None:
    url = f"/admin/jobs/session/{session.pk}/change/"
    staff.get(url)
    Session.note_change(pk=session.pk)
    staff.post(url, {"name": "Mill interviews", "owner": session.owner_id})
    session.refresh_from_db()
    assert (session.name, session.state_version) == ("Mill interviews", 2)


def test_an_upload_says_how_it_sounds(staff: Client, job_of: Callable[..., Job]) -> None:
    upload = job_of().inputs.get().upload
    assert isinstance(upload, Upload)
    assert staff.get(f"/admin/jobs/upload/{upload.pk}/change/").status_code == 200
