"""What each person may have: counted whole from the start, whichever way the files come."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import IncomingUpload, Job, Session, Upload
from tests.jobs.uploads.test_resumable import TUS, begin, begun, send

QUOTA = 1000  # bytes


@pytest.fixture(autouse=True)
def quota(settings: Settings) -> None:
    settings.USER_QUOTA_GB = QUOTA / 1e9


def content(number: int, size: int = 900) -> bytes:
    return number.to_bytes(1, "big") * size


def kept_files() -> set[Path]:
    return {path for path in Path(django_settings.MEDIA_DIR).rglob("*") if path.is_file()}


def test_what_has_arrived_of_an_unfinished_file_still_counts(browser: Client, session: Session) -> None:
    url = begun(browser, session, size=900)
    send(browser, url, 0, content(1)[:890])
    refused = begin(browser, session, size=900)
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "QUOTA_FULL")
    assert IncomingUpload.objects.count() == 1, "what is refused leaves nothing behind"
    assert send(browser, url, 890, content(1)[890:]).status_code == 204
    assert begin(browser, session, size=900).status_code == 507
    assert begin(browser, session, size=100).status_code == 201


def test_a_file_that_is_given_up_makes_room(browser: Client, session: Session) -> None:
    url = begun(browser, session, size=900)
    send(browser, url, 0, content(1)[:890])
    browser.delete(url, headers=TUS)
    assert begin(browser, session, size=900).status_code == 201


def test_a_promised_file_arrives_though_others_have_filled_the_room_since(
    browser: Client, session: Session, settings: Settings
) -> None:
    url = begun(browser, session, size=900)
    settings.USER_QUOTA_GB = QUOTA / 2e9
    assert send(browser, url, 0, content(1)).status_code == 204
    assert Upload.objects.count() == 1


def test_a_form_takes_no_more_than_fits(browser: Client, session: Session) -> None:
    before = kept_files()
    files = [SimpleUploadedFile(f"{n}.wav", content(n, size)) for n, size in enumerate((5000, 900, 101, 100))]
    answer = browser.post(f"/api/sessions/{session.pk}/uploads", {"files": files}).json()
    assert [row["name"] for row in answer["uploads"]] == ["1.wav", "3.wav"]
    assert [(row["name"], row["error"]["code"]) for row in answer["refused"]] == [
        ("0.wav", "QUOTA_FULL"),
        ("2.wav", "QUOTA_FULL"),
    ]
    assert len(kept_files() - before) == 2, "what is refused leaves no bytes behind"


def test_the_page_without_javascript_says_which_file_does_not_fit(browser: Client, session: Session) -> None:
    file = SimpleUploadedFile("mill.wav", content(1, 5000))
    page = browser.post(f"/sessions/{session.pk}/uploads", {"files": [file]}, follow=True).content.decode()
    assert "mill.wav: This upload would exceed your storage quota of 1e-06 GB." in page
    assert not Upload.objects.exists()


def test_bytes_that_are_here_already_need_no_room(browser: Client, session: Session) -> None:
    for name in ("mill.wav", "copy.wav"):
        file = SimpleUploadedFile(name, content(1, QUOTA))
        assert browser.post(f"/api/sessions/{session.pk}/uploads", {"files": [file]}).json()["refused"] == []


def send_form(client: Client, session: Session, number: int = 1, size: int = 900) -> str:
    """Send a file as a form; return its id, or the code of its refusal."""
    file = SimpleUploadedFile(f"{number}.wav", content(number, size))
    answer = client.post(f"/api/sessions/{session.pk}/uploads", {"files": [file]}).json()
    return str(answer["refused"][0]["error"]["code"] if answer["refused"] else answer["uploads"][0]["id"])


def test_what_is_deleted_makes_room_at_once(browser: Client, session: Session, person: User) -> None:
    first = send_form(browser, session)
    assert send_form(browser, session, 2) == "QUOTA_FULL"
    browser.delete(f"/api/uploads/{first}")
    begun(browser, session, size=400)
    send_form(browser, session, 2, 600)
    browser.delete(f"/api/sessions/{session.pk}")
    another = Session.objects.create(owner=person, name="Another")
    assert begin(browser, another, size=QUOTA).status_code == 201


@pytest.mark.parametrize("kind", ["uploads", "jobs", "sessions"])
def test_what_no_longer_fits_stays_in_the_trash_until_it_does(
    kind: str, browser: Client, session: Session, person: User
) -> None:
    wanted = {"uploads": send_form(browser, session), "sessions": str(session.pk)}
    if kind == "jobs":
        job = batches.create_job(
            session, [session.uploads.get()], Options(model="base"), use_remote=False, created_by=person
        )
        wanted["jobs"] = str(job.pk)
    assert browser.delete(f"/api/{kind}/{wanted[kind]}?recordings=true").status_code == 204
    other = send_form(browser, Session.objects.create(owner=person, name="Another"), 2)
    restore = f"/{kind}/{wanted[kind]}/restore"
    refused = browser.post(f"/api{restore}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (507, "QUOTA_FULL")
    assert "Delete some files first." in browser.post(restore, follow=True).content.decode()
    browser.delete(f"/api/uploads/{other}")
    assert browser.post(f"/api{restore}").status_code == 204
    assert session.uploads.filter(deleted_at=None, session__deleted_at=None).exists()


def test_a_job_whose_recordings_stayed_comes_back_however_full_it_is(
    browser: Client, session: Session, job_of: Callable[..., Job], settings: Settings
) -> None:
    job = job_of()
    browser.delete(f"/api/jobs/{job.pk}")
    settings.USER_QUOTA_GB = 1e-9
    assert browser.post(f"/api/jobs/{job.pk}/restore").status_code == 204
