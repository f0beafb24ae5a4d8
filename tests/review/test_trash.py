"""The transcripts of a deleted job: out of sight with it, back with it, gone with it."""

from jobs import trash
from jobs.models import Job, Session
from review.models import Segment, Speaker, Transcript
from tests.review.page import Page


def test_a_transcript_goes_and_comes_with_its_job(page: Page, session: Session) -> None:
    pk = page.transcript.pk
    page.edit("SetStatus", status="done")
    job = page.transcript.job_input.job
    addresses = [f"/transcripts/{pk}/", f"/api/transcripts/{pk}", f"/transcripts/{pk}/download.txt"]
    trash.delete_job(job, "anna", with_recordings=True)
    for url in addresses:
        assert page.browser.get(url).status_code == 404, url
    assert page.browser.get(f"/api/sessions/{session.pk}/review").json()["files"] == []
    trash.restore_job(job)
    for url in addresses:
        assert page.browser.get(url).status_code == 200, url


def test_a_transcript_with_its_history_is_deleted_for_good(page: Page, session: Session) -> None:
    (one, *_) = page.keys()
    page.edit("Highlight", segment=one, on=True)
    trash.delete_job(page.transcript.job_input.job, "anna", with_recordings=True)
    assert trash.empty(session) == 2
    for kind in (Job, Transcript, Segment, Speaker):
        assert not kind.objects.exists(), kind
