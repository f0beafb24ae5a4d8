"""What happened to a file, as its page tells it."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gpu_worker.shared.protocol import ERRORS
from jobs import batches, history
from jobs.models import Job, JobInput, Session
from jobs.statuses import Event
from remoteworker import clock
from remoteworker.attempts import apply, dispatch
from remoteworker.attempts.leases import Observation
from remoteworker.models import Attempt, Worker
from tests.steps import claim

NIL = "00000000-0000-0000-0000-000000000000"  # of the templates that JavaScript copies


def told(entry: JobInput) -> list[tuple[str, str, int]]:
    return [(row.text, row.code, row.times) for row in history.timeline(entry)]


def test_a_life_is_told_in_order_with_who_and_why(attempt: Attempt, job_input: JobInput) -> None:
    apply.observation(attempt, Observation(is_unknown=True), clock.now())
    batches.retry_input(job_input, "anna")
    rows = history.timeline(job_input)
    assert [row.text for row in rows] == [
        "added to the queue",
        *(str(Event(e).label) for e in ("claimed", "accepted", "lost", "retried")),
    ]
    assert [row.actor for row in rows] == ["anna", "controller", "box", "controller", "anna"]
    assert rows[3].sentence == ERRORS["REMOTE_JOB_NOT_FOUND"].sentence


def test_a_file_that_the_fleet_tries_again_says_what_it_was_lost_to(
    attempt: Attempt, job_input: JobInput, settings: Settings
) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 2
    apply.observation(attempt, Observation(is_unknown=True), clock.now())
    job_input.refresh_from_db()
    assert (job_input.status, job_input.error_code) == ("queued", "")
    assert told(job_input)[-1] == (str(Event.REQUEUED.label), "REMOTE_JOB_NOT_FOUND", 1)


def test_rounds_with_a_busy_worker_are_told_once(job_input: JobInput, worker: Worker) -> None:
    for _ in range(5):
        dispatch.push_back(claim(worker)[0], 0.0)
    assert told(job_input)[1:] == [(str(Event.PUSHED_BACK.label), "", 5)]
    before = history.timeline(job_input)[1].id
    dispatch.push_back(claim(worker)[0], 0.0)
    assert (history.timeline(job_input)[1].id, told(job_input)[1][2]) == (before, 6)


def test_the_page_of_a_file_shows_its_worker_attempt_contact_and_history(
    browser: Client, attempt: Attempt, job_input: JobInput
) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(last_contact_at=timezone.now())
    page = browser.get(f"/inputs/{job_input.pk}/").content.decode()
    for part in ("file-0.wav", "box", "Activity", "accepted by the worker", "Last contact"):
        assert part in page
    state = browser.get(f"/api/inputs/{job_input.pk}").json()
    assert state["input"]["lastContactAt"]
    assert [row["actor"] for row in state["events"]] == ["anna", "controller", "box"]


def test_its_buttons_lead_back_to_it(browser: Client, attempt: Attempt, job_input: JobInput) -> None:
    answer = browser.post(f"/inputs/{job_input.pk}/cancel", {"from": "file"})
    assert answer["Location"] == f"/inputs/{job_input.pk}/"
    assert browser.post(f"/inputs/{job_input.pk}/retry")["Location"].startswith("/sessions/")


def test_a_job_is_run_again_with_other_options(
    browser: Client, session: Session, job_of: Callable[..., Job]
) -> None:
    first = job_of(files=2, language="de", diarization_enabled=True, num_speakers=3)
    page = browser.get(f"/sessions/{session.pk}/?again={first.pk}").content.decode()
    assert "Starting with the files and options of job 1" in page
    assert re.findall(r'name="files_of" value="([^"]+)" data-count="2" checked', page) == [str(first.pk)]
    assert set(re.findall(r'name="uploads" value="([^"]+)" checked', page)) <= {NIL}
    assert 'value="de" selected' in page
    assert 'name="num_speakers" value="3"' in page
    answer = browser.post(f"/api/jobs/{first.pk}/rerun", {"model": "tiny"}, content_type="application/json")
    assert answer.status_code == 201
    second = session.jobs.get(number=2)
    options = second.worker_options()
    assert (options.model, options.language, options.num_speakers) == ("tiny", "de", 3)
    assert [e.upload_id for e in second.inputs.all()] == [e.upload_id for e in first.inputs.all()]
    assert Job.objects.get(pk=first.pk).model == "base"


def test_nonsense_to_run_again_is_a_plain_form(browser: Client, session: Session) -> None:
    for again in ("x", "c0ffee00-0000-4000-8000-000000000000", "\x00"):
        page = browser.get(f"/sessions/{session.pk}/", {"again": again})
        assert page.status_code == 200
        assert "options of job" not in page.content.decode()


def test_running_again_refuses_what_makes_no_sense(browser: Client, job_of: Callable[..., Job]) -> None:
    job = job_of()
    for changes in ({"model": "gigantic"}, {"uploadIds": []}, {"speed": 3}):
        answer = browser.post(f"/api/jobs/{job.pk}/rerun", changes, content_type="application/json")
        assert answer.status_code == 400
    assert Job.objects.count() == 1


def test_moves_are_told_as_they_were_made_whatever_the_clock_said(
    job_input: JobInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = timezone.now()
    job_input.move_to(Event.CLAIMED, actor="controller")
    monkeypatch.setattr(timezone, "now", lambda: early)
    job_input.move_to(Event.REFUSED, actor="box", code="UNKNOWN_MODEL")
    assert [row.actor for row in history.timeline(job_input)] == ["anna", "controller", "box"]
