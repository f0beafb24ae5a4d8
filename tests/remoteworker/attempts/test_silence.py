"""What counts as silence of one file at a worker, and for whom."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from django.utils import timezone

from gpu_worker.shared.protocol import JobStatus
from jobs.models import Job, JobInput
from remoteworker.attempts import apply, dispatch, poll
from remoteworker.attempts.leases import Observation
from remoteworker.models import Attempt, Worker
from tests.remoteworker.attempts.test_polling import JOB, refreshed, running
from tests.scripted_worker import Said, ScriptedWorker
from tests.steps import claim


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    "odd",
    [
        {"status": "odd"},
        {"status": [], "workerJobId": "w-1", "progress": {"percent": 1}},
        {"status": "running", "workerJobId": "w-1", "progress": {"percent": 10**400}},
        {"status": "running", "workerJobId": "w-1", "progress": {"percent": None}},
    ],
)
def test_a_status_that_makes_no_sense_silences_its_own_file_only(
    odd: dict[str, Any], at_once: bool, job_of: Callable[..., Job], worker: Worker, scripted: ScriptedWorker
) -> None:
    job_of(files=2)
    Worker.objects.update(capabilities={**worker.capabilities, "answersMany": at_once})
    worker.refresh_from_db()
    for number, claimed in enumerate(claim(worker, 2), start=1):
        dispatch.accept(claimed, f"w-{number}")
    good = {**running(20).body, "workerJobId": "w-2"}
    scripted.script |= {JOB: Said(200, odd), "GET /v1/jobs/w-2": Said(200, good)}
    for ids in ("id=w-1&id=w-2", "id=w-2&id=w-1"):
        scripted.script[f"GET /v1/jobs?{ids}"] = Said(200, {"jobs": {"w-1": odd, "w-2": good}})
    before = timezone.now() - timedelta(seconds=50)
    Attempt.objects.update(last_contact_at=before)
    poll.poll_worker(worker.pk)
    contacts = dict(Attempt.objects.values_list("worker_job_id", "last_contact_at"))
    assert contacts["w-1"] == before
    assert contacts["w-2"] is not None
    assert contacts["w-2"] > before
    assert Attempt.objects.get(worker_job_id="w-1").job_input.remote_last_error is not None


def test_a_lease_that_a_result_renews_while_the_worker_is_polled_in_vain_holds(
    attempt: Attempt, job_input: JobInput
) -> None:
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    as_polled = Attempt.objects.select_related("job_input__job", "worker").get()
    attempt.renew(timezone.now())
    apply.observation(as_polled, Observation(reason="no answer"), timezone.now())
    assert refreshed(job_input).status == "running"


def test_a_worker_that_goes_on_after_complete_has_all_its_time_again(
    attempt: Attempt, job_input: JobInput
) -> None:
    def said(status: str) -> Observation:
        attempt.refresh_from_db()
        body = {"workerJobId": "w-1", "status": status, "stage": status, "progress": {"percent": 1}}
        return Observation(status=cast(JobStatus, body))

    apply.observation(attempt, said("complete"), timezone.now())
    Attempt.objects.update(outputs_due_at=timezone.now() - timedelta(seconds=100))
    apply.observation(attempt, said("running"), timezone.now())
    apply.observation(attempt, said("complete"), timezone.now())
    assert refreshed(job_input).status == "running"
