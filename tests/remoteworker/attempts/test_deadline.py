"""REMOTE_WORKER_TIMEOUT_SECONDS is for a file at work: what it waits for at its worker costs it nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.conf import settings
from django.utils import timezone

from gpu_worker.shared.protocol import JobStatus
from jobs.models import Job, JobInput
from remoteworker import clock
from remoteworker.attempts import apply, dispatch, job_requests
from remoteworker.attempts.leases import Observation
from remoteworker.models import Attempt, Worker
from tests.remoteworker.conftest import Hours
from tests.steps import claim

ALLOWED = timedelta(seconds=settings.REMOTE_WORKER_TIMEOUT_SECONDS)
SHORT = timedelta(minutes=1)


@pytest.fixture
def three(job_of: Callable[..., Job], worker: Worker, hours: Hours) -> list[Attempt]:
    """Three files at a worker that takes one after the other."""
    job_of(files=3)
    hours.at = timezone.now()
    says = {"maxConcurrentJobs": 1, "queueSize": 2, "models": ["base"]}
    Worker.objects.update(capabilities=says)
    worker.refresh_from_db()
    found = claim(worker, 3)
    for number, attempt in enumerate(found):
        assert dispatch.accept(attempt, f"w-{number}")
    return found


def see(attempt: Attempt, stage: str, hours: Hours) -> JobInput:
    """One poll that finds it in this stage."""
    status: dict[str, Any] = {"status": "running", "stage": stage, "progress": {"percent": 1}}
    fresh = Attempt.objects.select_related("job_input__job", "worker").get(pk=attempt.pk)
    apply.observation(fresh, Observation(status=cast(JobStatus, status)), hours.now())
    return JobInput.objects.get(pk=attempt.job_input_id)


def test_a_long_file_that_waited_for_another_has_all_the_time_for_itself(
    three: list[Attempt], hours: Hours
) -> None:
    first, second, third = three
    see(first, "transcribing", hours)
    hours.at += ALLOWED * 0.75
    first.refresh_from_db()
    first.job_input.move_to("completed", actor="box")
    first.end(Attempt.Outcome.COMPLETE)
    see(second, "loading_model", hours)
    hours.at += ALLOWED * 0.75
    assert see(second, "transcribing", hours).status == "running"
    assert see(third, "queued", hours).status == "running"
    hours.at += ALLOWED * 0.25 + SHORT
    ended = see(second, "transcribing", hours)
    assert (ended.status, ended.error_code) == ("failed", "REMOTE_TIMEOUT"), "a worker that hangs is noticed"
    assert see(third, "transcribing", hours).status == "running"


def test_a_file_that_begins_at_once_has_no_longer_than_it_is_allowed(
    three: list[Attempt], hours: Hours
) -> None:
    began = hours.now()
    see(three[0], "transcribing", hours)
    assert Attempt.objects.get(pk=three[0].pk).deadline_at == began + ALLOWED
    hours.at += SHORT
    see(three[0], "transcribing", hours)
    assert Attempt.objects.get(pk=three[0].pk).deadline_at == began + ALLOWED


def test_a_file_that_never_begins_is_given_up_in_the_end(three: list[Attempt], hours: Hours) -> None:
    hours.at += 3 * ALLOWED - SHORT
    assert see(three[0], "downloading", hours).status == "running"
    hours.at += SHORT
    assert see(three[0], "downloading", hours).error_code == "REMOTE_TIMEOUT"


@pytest.mark.parametrize(
    ("capabilities", "capacity", "rounds"),
    [
        ({"maxConcurrentJobs": 1}, None, 1),
        ({"maxConcurrentJobs": 1, "queueSize": 2}, None, 3),
        ({"maxConcurrentJobs": 4, "queueSize": 2}, None, 2),
        ({"maxConcurrentJobs": 2, "queueSize": 2}, 1, 1),
        ({}, 2**31 - 1, 100),
    ],
)
def test_what_the_worker_is_told_leaves_room_for_all_that_it_may_do_before(
    capabilities: dict[str, int], capacity: int | None, rounds: int, job_input: JobInput, worker: Worker,
    hours: Hours,
) -> None:  # fmt: skip
    Worker.objects.update(capabilities=capabilities, capacity=capacity)
    worker.refresh_from_db()
    attempt = claim(worker)[0]
    request = job_requests.job_request(attempt, worker)
    assert datetime.fromisoformat(request.deadline_at) == hours.now() + rounds * ALLOWED
    expires = request.inputs[0].download_url.split("expires=")[1].split("&")[0]
    assert int(expires) == int(attempt.deadline_at.timestamp())


def test_more_files_than_a_worker_says_it_takes_have_room_too(
    job_of: Callable[..., Job], worker: Worker, hours: Hours
) -> None:
    job_of(files=3)
    hours.at = timezone.now()
    deadlines = [attempt.deadline_at - hours.now() for attempt in claim(worker, 3)]
    assert deadlines == [ALLOWED, 2 * ALLOWED, 3 * ALLOWED]


def test_a_clock_that_jumps_takes_no_room_from_a_file_that_waits(three: list[Attempt], hours: Hours) -> None:
    see(three[0], "transcribing", hours)
    before = {attempt.pk: attempt.deadline_at for attempt in Attempt.objects.all()}
    clock.bound(Attempt.objects.all())
    assert {attempt.pk: attempt.deadline_at for attempt in Attempt.objects.all()} == before
    Attempt.objects.update(deadline_at=hours.now() + 9 * ALLOWED)
    clock.bound(Attempt.objects.all())
    left = [Attempt.objects.get(pk=attempt.pk).deadline_at - hours.now() for attempt in three]
    assert left == [ALLOWED, 3 * ALLOWED, 3 * ALLOWED], "no longer than a fresh one"
