"""What the session pages say of the review of each file."""

from collections.abc import Callable

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, Session
from jobs.ports import review_progress
from review.models import Transcript
from tests.review.page import Page


def test_the_session_page_says_how_far_people_are(page: Page, session: Session) -> None:
    (one, *_) = page.keys()
    page.edit("Highlight", segment=one, on=True)
    page.edit("SetReviewer", reviewer="<b>jonas</b>")
    (job,) = page.browser.get(f"/api/sessions/{session.pk}/state").json()["jobs"]
    assert job["inputs"][0]["review"] == {
        "status": "in_review",
        "text": "In review · 2 flagged segments",
        "doubtful": 2,
        "reviewer": "<b>jonas</b>",
    }
    content = page.browser.get(f"/sessions/{session.pk}/").content.decode()
    assert "In review · 2 flagged segments" in content
    assert "&lt;b&gt;jonas&lt;/b&gt;" in content and "<b>jonas</b>" not in content
    page.edit("SetStatus", status="done")
    input_url = f"/api/inputs/{page.transcript.pk}"
    assert page.browser.get(input_url).json()["input"]["review"]["text"] == "Done"


def test_a_file_without_a_transcript_has_no_review(
    browser: Client, session: Session, job_of: Callable[..., Job]
) -> None:
    job_of()
    (job,) = browser.get(f"/api/sessions/{session.pk}/state").json()["jobs"]
    assert job["inputs"][0]["review"] is None


def test_the_list_of_sessions_says_how_much_is_reviewed(page: Page) -> None:
    assert "reviewed" not in page.browser.get("/").content.decode()
    page.edit("SetStatus", status="done")
    assert "1 reviewed" in page.browser.get("/").content.decode()


def test_all_files_are_asked_about_at_once(
    talk: Transcript, session: Session, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    entries = list(talk.job_input.job.inputs.all())
    with django_assert_num_queries(1):
        assert review_progress.of(entries * 50)[talk.pk].status == "new"
    with django_assert_num_queries(1):
        assert review_progress.done([session.pk]) == {}
