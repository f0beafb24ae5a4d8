"""Sessions are kept for ever, unless their owner wants otherwise; what changes in one puts its end off."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from typing import get_args as literal_values

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from bulktranscribe.tasks import prune
from jobs import batches, retention, trash
from jobs.api import sessions
from jobs.forms import RetentionForm
from jobs.models import IncomingUpload, Job, JobInput, Scope, Session, Upload
from jobs.models.sessions import RETENTION_DAYS
from jobs.statuses import Event
from review.models import Transcript
from review.storage.patch_writer import PatchWriter
from review.storage.repository import TranscriptRepository
from tests.jobs.programs import Program

pytestmark = pytest.mark.django_db(transaction=True)


def rest(session: Session, days: float, retention_days: int | None = 30) -> None:
    """Nothing has happened in the session for so long."""
    then = timezone.now() - timedelta(days=days)
    Session.objects.filter(pk=session.pk).update(touched_at=then, retention_days=retention_days)


def is_deleted(session: Session) -> bool:
    session.refresh_from_db()
    return session.deleted_at is not None


# Its end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "days", "ends"),
    [
        (None, 4000, False),
        (30, 29.9, False),
        (30, 30.1, True),
        (90, 89, False),
        (90, 91, True),
        (365, 366, True),
    ],
)
def test_a_session_is_kept_for_as_long_as_its_owner_wants(
    wanted: int | None, days: float, ends: bool, session: Session
) -> None:
    rest(session, days, wanted)
    assert (retention.sweep(), is_deleted(session)) == (int(ends), ends)


def test_the_tick_puts_it_into_the_trash_and_says_so(
    session: Session, job_of: Callable[..., Job], browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    job = job_of()
    batches.cancel_job(job, "anna")
    rest(session, 31)
    with caplog.at_level(logging.INFO):
        prune()
    told = [vars(record) for record in caplog.records if record.getMessage() == "session deleted"]
    assert [(one["session"], one["by"]) for one in told] == [(str(session.pk), "retention of 30 days")]
    assert browser.get(f"/sessions/{session.pk}/").status_code == 404
    assert Upload.objects.count() == 1, "the bytes are kept as long as those of anything deleted"


def test_what_is_brought_back_is_kept_for_the_whole_time_again(session: Session, browser: Client) -> None:
    rest(session, 31)
    retention.sweep()
    browser.post(f"/sessions/{session.pk}/restore")
    assert (retention.sweep(), is_deleted(session)) == (0, False)


@pytest.mark.parametrize("status", ["queued", "dispatching", "running"])
def test_a_session_in_which_something_is_at_work_stays(
    status: str, session: Session, job_of: Callable[..., Job]
) -> None:
    JobInput.objects.filter(job=job_of(files=2)).update(status=status)
    rest(session, 400)
    assert retention.sweep() == 0
    JobInput.objects.update(status="complete")
    assert retention.sweep() == 1


def test_a_session_into_which_a_file_is_coming_stays(session: Session) -> None:
    soon = timezone.now() + timedelta(hours=1)
    incoming = IncomingUpload.objects.create(session=session, name="a.wav", size_bytes=9, expires_at=soon)
    rest(session, 400)
    assert retention.sweep() == 0
    IncomingUpload.objects.filter(pk=incoming.pk).update(expires_at=timezone.now())
    assert retention.sweep() == 1


def test_a_change_that_comes_between_looking_and_deleting_is_heeded(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(session, 31)
    found = list(retention.due().values_list("pk", flat=True))
    session.touch()
    assert [retention.delete(pk) for pk in found] == [False]
    assert not is_deleted(session)


# What puts it off --------------------------------------------------------------------------------


def upload(session: Session, entry: JobInput, browser: Client) -> None:
    browser.post(f"/sessions/{session.pk}/uploads", {"files": [SimpleUploadedFile("new.wav", b"new")]})


def run_to_its_end(session: Session, entry: JobInput, browser: Client) -> None:
    entry.move_to(Event.CANCELED, actor="anna")


def edit(session: Session, entry: JobInput, browser: Client) -> None:
    PatchWriter(TranscriptRepository(Transcript.objects.create(job_input=entry))).save()


def delete_and_restore_a_job(session: Session, entry: JobInput, browser: Client) -> None:
    trash.restore_job(entry.job)


def delete_an_upload(session: Session, entry: JobInput, browser: Client) -> None:
    Upload.objects.filter(pk=entry.upload_id).update(is_used=False)
    trash.delete_upload(entry.upload)


def rename(session: Session, entry: JobInput, browser: Client) -> None:
    browser.post(f"/sessions/{session.pk}/rename", {"name": "Mill"})


def choose(session: Session, entry: JobInput, browser: Client) -> None:
    browser.post(f"/sessions/{session.pk}/retention", {"retention_days": "90"})


@pytest.mark.parametrize(
    "change",
    [upload, run_to_its_end, edit, delete_and_restore_a_job, delete_an_upload, rename, choose],
)
def test_whatever_people_and_workers_do_counts_as_a_change(
    change: Callable[[Session, JobInput, Client], None],
    session: Session,
    job_input: JobInput,
    browser: Client,
) -> None:
    rest(session, 31)
    change(session, job_input, browser)
    session.refresh_from_db()
    assert timezone.now() - session.touched_at < timedelta(minutes=1)


def test_looking_is_no_change(session: Session, browser: Client) -> None:
    rest(session, 20)
    before = Session.objects.get(pk=session.pk).touched_at
    for url in ("/", f"/sessions/{session.pk}/", f"/api/sessions/{session.pk}/state"):
        browser.get(url)
    assert Session.objects.get(pk=session.pk).touched_at == before


# The choice --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"), [("30", 30), ("365", 365), ("", None), ("31", 90), ("-1", 90), ("x", 90), ("\0", 90)]
)
def test_the_owner_chooses_on_the_session_page(
    sent: str, kept: int | None, browser: Client, session: Session
) -> None:
    rest(session, 1, 90)
    answer = browser.post(f"/sessions/{session.pk}/retention", {"retention_days": sent}, follow=True)
    session.refresh_from_db()
    assert session.retention_days == kept
    page = answer.content.decode()
    assert f'<option value="{kept or ""}" selected>' in page
    assert ("Retention was not changed" in page) is (kept == 90)


def test_a_choice_undoes_nothing_that_happened_meanwhile(session: Session) -> None:
    form = RetentionForm({"retention_days": "30"}, instance=Session.objects.get(pk=session.pk))
    assert form.is_valid()
    Session.objects.filter(pk=session.pk).update(name="Mill", state_version=7, deleted_at=timezone.now())
    form.keep()
    session.refresh_from_db()
    found = (session.name, session.state_version, session.retention_days, session.deleted_at is None)
    assert found == ("Mill", 7, 30, False)


def test_nobody_else_chooses(session: Session, stranger: User) -> None:
    client = Client()
    client.force_login(stranger)
    assert client.post(f"/sessions/{session.pk}/retention", {"retention_days": "30"}).status_code == 404
    assert Client().post(f"/sessions/{session.pk}/retention").status_code == 302
    session.refresh_from_db()
    assert session.retention_days is None


def test_the_list_says_a_week_ahead_when_a_session_will_be_deleted(session: Session, browser: Client) -> None:
    for days, retention_days, is_told in (
        (22, 30, False),
        (24, 30, True),
        (24, 90, False),
        (24, None, False),
    ):
        rest(session, days, retention_days)
        assert ("moves to Trash on" in browser.get("/").content.decode()) is is_told, (days, retention_days)
    rest(session, 24)
    day = timezone.localtime(Session.objects.get(pk=session.pk).touched_at + timedelta(days=30))
    assert f'<time datetime="{day:%Y-%m-%d}">' in browser.get("/").content.decode()


def test_programs_that_may_delete_choose_it(session: Session, person: User) -> None:
    url = f"/api/sessions/{session.pk}"
    program = Program(person, [Scope.READ, Scope.UPLOAD, Scope.DELETE])

    def change(body: Any) -> tuple[int, Any]:
        answer = program.send("PATCH", url, body)
        row = program.send("GET", url).json()["session"]
        return answer.status_code, (row["name"], row["retentionDays"])

    assert change({"retentionDays": 90}) == (200, ("Valley interviews", 90))
    assert change({"name": "Mill"}) == (200, ("Mill", 90))
    assert change({"name": "Flood", "retentionDays": None}) == (200, ("Flood", None))
    wrongs: list[Any] = [{"retentionDays": days} for days in (31, 0, -30, "30", True, 1e300, [30])]
    for wrong in (*wrongs, {}, {"name": "", "retentionDays": 30}, {"name": None}, {"retention_days": 30}):
        assert change(wrong) == (400, ("Flood", None)), wrong
    for scopes in ([Scope.READ], [Scope.READ, Scope.UPLOAD], [Scope.READ, Scope.DELETE]):
        answer = Program(person, scopes).send("PATCH", url, {"name": "Mill", "retentionDays": 30})
        assert (answer.status_code, change({"name": "Flood"})[1]) == (403, ("Flood", None)), scopes


def test_programs_are_offered_what_people_are() -> None:
    assert set(literal_values(sessions.RetentionDays)) == set(RETENTION_DAYS)


def test_admin_shows_it_and_leaves_it_alone(session: Session, admin_client: Client) -> None:
    rest(session, 1, 90)
    url = f"/admin/jobs/session/{session.pk}/change/"
    assert "90 days" in admin_client.get(url).content.decode()
    admin_client.post(url, {"name": "Mill", "owner": session.owner_id, "retention_days": "30"})
    session.refresh_from_db()
    assert (session.name, session.retention_days) == ("Mill", 90)
