"""How many speakers a job is told there are: by the form, by programs, and when it is run again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job, Session, Upload

Counts = tuple[bool, int | None, int | None, int | None]
AUTO, NONE, THREE = (True, None, None, None), (False, None, None, None), (True, 3, None, None)
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"numSpeakers": 1000}, "numSpeakers"),
    ({"minSpeakers": 0}, "minSpeakers"),
    ({"minSpeakers": 4, "maxSpeakers": 2}, "minSpeakers"),
    ({"numSpeakers": 3, "maxSpeakers": 4}, "maxSpeakers"),
    ({"speakers": "auto", "numSpeakers": 3}, "numSpeakers"),
    ({"speakers": "none", "minSpeakers": 3}, "minSpeakers"),
    ({"speakers": "exact", "maxSpeakers": 3}, "maxSpeakers"),
    ({"speakers": "between", "numSpeakers": 3}, "numSpeakers"),
    ({"speakers": "some", "numSpeakers": 3}, "speakers"),
]


def counts_of(job: Job) -> Counts:
    told = job.worker_options()
    return told.diarization_enabled, told.num_speakers, told.min_speakers, told.max_speakers


def send(browser: Client, url: str, body: dict[str, Any]) -> Any:
    return browser.post(url, body, content_type="application/json")


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({}, AUTO),
        ({"numSpeakers": 3}, THREE),
        ({"minSpeakers": 2}, (True, None, 2, None)),
        ({"minSpeakers": 2, "maxSpeakers": 4}, (True, None, 2, 4)),
        ({"numSpeakers": 3, "minSpeakers": None}, THREE),
        ({"speakers": "exact", "numSpeakers": 3}, THREE),
        ({"speakers": "between", "maxSpeakers": 4}, (True, None, None, 4)),
        ({"speakers": "auto", "numSpeakers": None, "minSpeakers": None, "maxSpeakers": None}, AUTO),
        ({"speakers": "none"}, NONE),
    ],
)
def test_a_count_says_by_itself_how_speakers_are_told_apart(
    said: dict[str, Any], counts: Counts, browser: Client, session: Session, upload_of: Callable[..., Upload]
) -> None:
    order = {"uploadIds": [str(upload_of().pk)], "model": "base", **said}
    assert send(browser, f"/api/sessions/{session.pk}/jobs", order).status_code == 201
    assert counts_of(Job.objects.get()) == counts


@pytest.mark.parametrize(("said", "field"), WRONG)
def test_a_count_that_does_not_belong_is_refused_with_its_field(
    said: dict[str, Any],
    field: str,
    browser: Client,
    session: Session,
    upload_of: Callable[..., Upload],
    job_of: Callable[..., Job],
) -> None:
    order = {"uploadIds": [str(upload_of().pk)], "model": "base", **said}
    job = job_of(diarization_enabled=False)
    for url, body in (
        (f"/api/sessions/{session.pk}/jobs", order),
        (f"/api/jobs/{job.pk}/rerun", said),
    ):
        answer = send(browser, url, body)
        assert answer.status_code == 400
        assert (answer.json()["error"]["code"], answer.json()["error"]["field"]) == ("INVALID_OPTION", field)
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("before", "changes", "counts"),
    [
        ({"diarization_enabled": False}, {"numSpeakers": 3}, THREE),
        ({"diarization_enabled": False}, {"model": "tiny"}, NONE),
        ({"min_speakers": 2, "max_speakers": 4}, {"numSpeakers": 3}, THREE),
        ({"min_speakers": 2, "max_speakers": 4}, {"minSpeakers": 3}, (True, None, 3, 4)),
        ({"num_speakers": 3}, {"maxSpeakers": 4}, (True, None, None, 4)),
        ({"num_speakers": 3}, {"speakers": "none"}, NONE),
        ({"num_speakers": 3}, {"speakers": "auto"}, AUTO),
        ({"num_speakers": 3}, {"speakers": "exact"}, THREE),
        ({"num_speakers": 3}, {"numSpeakers": None}, AUTO),
    ],
)
def test_a_job_that_is_run_again_heeds_the_count_that_was_changed(
    before: dict[str, Any],
    changes: dict[str, Any],
    counts: Counts,
    browser: Client,
    session: Session,
    job_of: Callable[..., Job],
) -> None:
    job = job_of(**{"diarization_enabled": True, **before})
    assert send(browser, f"/api/jobs/{job.pk}/rerun", changes).status_code == 201
    assert counts_of(session.jobs.get(number=2)) == counts


def test_the_form_without_javascript_may_send_what_is_in_hidden_fields(
    browser: Client, session: Session, upload_of: Callable[..., Upload]
) -> None:
    stale = {"num_speakers": "5", "min_speakers": "", "max_speakers": "2"}
    form = {"uploads": [str(upload_of().pk)], "model": "base", "speakers": "auto", **stale}
    assert browser.post(f"/sessions/{session.pk}/start", form).status_code == 302
    assert counts_of(Job.objects.get()) == AUTO
