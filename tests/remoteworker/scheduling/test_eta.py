"""What people are told of files that wait, run, or are with a worker that says nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from jobs.api.serializers import file_state
from jobs.api.session_state import session_state
from jobs.models import Job, JobInput, Session
from jobs.ports import progress_estimates
from remoteworker.models import Attempt, Worker
from tests.steps import claim


def shown(session: Session) -> dict[str, dict[str, object]]:
    return {row["name"]: row for job in session_state(session).wire()["jobs"] for row in job["inputs"]}


def test_a_waiting_file_knows_its_place_and_when_it_will_be_done(
    job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    Worker.objects.update(speeds={"base": 10.0})
    job_of(files=3)
    JobInput.objects.update(audio_duration=600.0)
    rows = shown(session)
    assert [rows[f"file-{n}.wav"]["filesAhead"] for n in range(3)] == [0, 1, 2]
    assert [rows[f"file-{n}.wav"]["etaSeconds"] for n in range(3)] == [60.0, 120.0, 180.0]
    assert session_state(session).wire()["totals"]["etaSeconds"] == 180.0
    claim(worker)
    JobInput.objects.filter(status="dispatching").update(percent=50)
    rows = shown(session)
    assert [rows[f"file-{n}.wav"]["etaSeconds"] for n in range(3)] == [30.0, 90.0, 150.0]
    assert (rows["file-0.wav"]["filesAhead"], rows["file-1.wav"]["filesAhead"]) == (None, 0)


def test_the_time_left_goes_by_the_speed_of_each_model(
    job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    Worker.objects.update(speeds={"base": 100.0, "large-v3": 1.0}, price_per_hour=3600)
    small = job_of()
    JobInput.objects.update(audio_duration=3600.0)
    (row,) = shown(session).values()
    assert row["etaSeconds"] == 36.0
    large = job_of(model="large-v3")
    JobInput.objects.filter(job=large).update(audio_duration=60.0)
    last = job_of()
    JobInput.objects.filter(job=last).update(audio_duration=1000.0)
    prospects = progress_estimates.of_jobs([small, large, last])
    assert [prospects[job.pk].eta_seconds for job in (small, large, last)] == [36.0, 96.0, 106.0]
    assert [prospects[job.pk].cost for job in (small, large, last)] == [36.0, 60.0, 10.0]
    claim(worker)
    JobInput.objects.filter(status="dispatching").update(percent=50)
    assert progress_estimates.of_jobs([last])[last.pk].eta_seconds == 88.0


def test_only_workers_that_have_a_model_count_for_its_files(
    job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    Worker.objects.update(speeds={"base": 10.0}, capabilities={"models": ["base"]})
    other = Worker.objects.create(name="other", kind="local", url="http://127.0.0.1:8", is_connected=True)
    Worker.objects.filter(pk=other.pk).update(speeds={"large-v3": 2.0}, capabilities={"models": ["large-v3"]})
    job_of(model="large-v3")
    JobInput.objects.update(audio_duration=600.0)
    (row,) = shown(session).values()
    assert row["etaSeconds"] == 300.0
    before = progress_estimates.stamp()
    Worker.objects.filter(pk=other.pk).update(capabilities={"models": ["base", "large-v3"]})
    assert progress_estimates.stamp() != before


def test_nobody_is_promised_a_time_while_no_worker_is_there(
    job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    Worker.objects.update(is_connected=False)
    job_of()
    (row,) = shown(session).values()
    assert (row["filesAhead"], row["etaSeconds"]) == (0, None)


def test_a_silent_worker_is_named_with_the_time_it_is_given_up_at(
    attempt: Attempt, session: Session, worker: Worker, settings: Settings
) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 3
    (row,) = shown(session).values()
    assert (row["unreachableSince"], row["givenUpAt"], row["worker"]) == (None, None, "box")
    assert (row["attempt"], row["attempts"]) == (1, 3)
    assert file_state(attempt.job_input).last_contact_at
    since = timezone.now() - timedelta(seconds=40)
    Worker.objects.update(unreachable_since=since, is_connected=False)
    (row,) = shown(session).values()
    assert row["unreachableSince"] == since.isoformat(timespec="seconds")
    attempt.refresh_from_db()
    assert attempt.lease_until is not None
    assert row["givenUpAt"] == attempt.lease_until.isoformat(timespec="seconds")


def test_a_workers_own_word_about_the_time_left_counts(attempt: Attempt, session: Session) -> None:
    JobInput.objects.update(eta_seconds=12.4, percent=50)
    (row,) = shown(session).values()
    assert row["etaSeconds"] == 12.0


def test_what_has_ended_has_no_standing(job_of: Callable[..., Job], session: Session) -> None:
    job_of()
    JobInput.objects.update(status="failed", error_code="OUT_OF_MEMORY")
    assert progress_estimates.of(JobInput.objects.all()) == {}


@pytest.mark.parametrize("files", [2, 40])
def test_the_state_of_many_files_costs_as_many_queries_as_that_of_few(
    files: int, browser: Client, job_of: Callable[..., Job], session: Session, worker: Worker
) -> None:
    job_of(files=files)
    claim(worker)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(f"/api/sessions/{session.pk}/state").status_code == 200
    assert len(seen) <= 36
