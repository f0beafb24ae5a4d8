"""The life of a file on two workers as a state machine: everything that can happen, in any order.

Real rows, the real decisions and effects; workers are imagined, time is set. `snapshots` are attempts as a
poller read them some time ago: it may write what it then decides long after everything has changed.
"""

import json
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from unittest import mock

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from bulktranscribe.integrity import invariants
from gpu_worker.shared.protocol import JobStatus, Options
from jobs import batches
from jobs.models import JobInput, Result, Session, Upload
from remoteworker import clock
from remoteworker.attempts import apply, dispatch, results
from remoteworker.attempts.leases import Observation
from remoteworker.models import Attempt, Worker
from remoteworker.workers.client import WorkerBusy, WorkerError, WorkerRefused, WorkerUnavailable

DOCUMENT = json.dumps({"segments": [{"start": 0, "end": 1, "text": "hi"}], "duration": 1.0}).encode()
FAILURES: dict[str, WorkerError] = {
    "busy": WorkerBusy(5.0),
    "refused": WorkerRefused("REMOTE_REFUSED", "no", 400),
    "silent": WorkerUnavailable("no answer"),
    "unsent": WorkerUnavailable("connection refused", is_unsent=True),
}
SEEN = ("running", "unknown", "silent", "asleep", "failed", "canceled", "complete")


def when(*statuses: str) -> Callable[[Any], Any]:
    """Offer a rule only while the file is in one of these, so that runs are spent on what can happen."""
    return precondition(lambda life: life.before[0] in statuses)


class Life(RuleBasedStateMachine):
    """One run: a job of one file, two workers with one slot each."""

    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.time = timezone.now()
        self.patch = mock.patch.object(clock, "now", lambda: self.time)
        self.patch.start()
        self.before = ("", 0, 0.0)
        self.begin()

    def begin(self) -> None:
        owner = User.objects.create(username="anna")
        session = Session.objects.create(owner=owner, name="Life")
        upload = Upload.objects.create(session=session, name="mill.ogg", size_bytes=1, sha256="0")
        self.job = batches.create_job(
            session, [upload], Options(model="base"), use_remote=False, created_by=owner
        )
        self.pk = self.job.inputs.get().pk
        self.time = timezone.now()
        for n in (0, 1):
            Worker.objects.create(
                name=f"box-{n}", kind="local", url=f"http://127.0.0.1:9/{n}", is_connected=True, capacity=1
            )
        self.before = self.look()

    def teardown(self) -> None:
        try:
            assert invariants.check(files=False) == []
        finally:
            self.patch.stop()
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    # What the controller does -----------------------------------------------------------------------

    @when("queued", "dispatching", "failed")
    @rule(steps=st.integers(1, 3))
    def it_goes_on(self, steps: int) -> None:
        """Claimed, accepted; a person who sees a failure retries. Most of life is this."""
        for _ in range(steps):
            status, number, _percent = self.look()
            if status == "failed":
                batches.retry_input(JobInput.objects.get(pk=self.pk), "anna")
            elif status == "queued":
                self.time += timedelta(seconds=6)
                dispatch.assign()
            elif status == "dispatching":
                dispatch.accept(self.active(), f"w-{number}")

    @when("dispatching")
    @rule(how=st.sampled_from(sorted(FAILURES)))
    def hand_over_fails(self, how: str) -> None:
        attempt = self.active()
        dispatch._after_failure(attempt, attempt.worker, FAILURES[how])
        Worker.objects.update(is_connected=True, failures=0, busy_until=None)

    @when("running")
    @rule(target=snapshots)
    def poller_reads(self) -> Attempt:
        return self.active()

    @rule(attempt=consumes(snapshots), how=st.sampled_from(SEEN), percent=st.floats(0, 100))
    def poller_writes(self, attempt: Attempt, how: str, percent: float) -> None:
        before = self.look()
        apply.observation(attempt, observation(how, percent), self.time)
        status, number, _percent = self.look()
        assert status in (before[0], "failed", "queued"), "a poll completes nothing"
        if attempt.number != before[1] or how == "asleep":
            assert (status, number) == before[:2], "it speaks of a replaced attempt, or has not looked"

    @when("running")
    @rule(how=st.sampled_from(SEEN), percent=st.floats(0, 100))
    def poll(self, how: str, percent: float) -> None:
        self.poller_writes(self.active(), how, percent)

    # What workers do, also those that were given up long ago ----------------------------------------

    @precondition(lambda life: life.before[1] > 0)
    @rule(back=st.integers(0, 2), status=st.sampled_from(["complete", "complete", "failed"]))
    def worker_writes_back(self, back: int, status: str) -> None:
        number = max(1, self.before[1] - back)
        attempt = Attempt.objects.select_related("worker").get(job_input=self.pk, number=number)
        if not attempt.worker_job_id:
            return
        before = self.look()
        try:
            found = results.find_attempt([attempt.worker], self.job.pk, attempt.worker_job_id)
            self.deliver(found, status)
        except (results.StaleAttempt, results.InputCanceled):
            assert self.look() == before, "what is refused changes nothing"
            return
        assert number == before[1], "a replaced attempt is refused"
        assert before[0] not in ("queued", "canceled")

    def deliver(self, attempt: Attempt, status: str) -> None:
        outputs = []
        if status == "complete":
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(DOCUMENT)
                results.stage(attempt, str(self.pk), "json", Path(file.name), "d" * 64)
            outputs = [{"inputId": str(self.pk), "filename": "x", "type": "json"}]
        error = {"code": "OUT_OF_MEMORY", "message": "no"} if status == "failed" else None
        message: Any = {
            "workerJobId": attempt.worker_job_id, "controllerJobId": str(self.job.pk), "status": status,
            "outputs": outputs, "error": error,
        }  # fmt: skip
        results.finish(attempt, message)

    # What people do ---------------------------------------------------------------------------------

    @rule(what=st.sampled_from(["cancel", "retry", "move", "move"]))
    def a_person_acts(self, what: str) -> None:
        one, other = JobInput.objects.get(pk=self.pk), JobInput.objects.get(pk=self.pk)
        if what == "cancel":
            was_active = one.status in ("queued", "dispatching", "running")
            assert batches.cancel_input(one, "anna") is was_active
        elif what == "retry":
            was_over = one.status in ("failed", "canceled")
            clicks = batches.retry_input(one, "anna"), batches.retry_input(other, "anna")
            assert clicks == (was_over, False), "the second click changes nothing"
        elif one.status in ("dispatching", "running"):
            assert dispatch.move_away(self.active(), "anna", "Moved.")

    # What time does ---------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 30, 100, 8000]))
    def time_passes(self, seconds: int) -> None:
        self.time += timedelta(seconds=seconds)

    # What must hold after every step ----------------------------------------------------------------

    @invariant()
    def progress_and_numbers_never_fall(self) -> None:
        was, number, percent = self.before
        self.before = self.look()
        assert self.before[1] >= number, "attempt numbers grow"
        if was == self.before[0] == "running" and self.before[1] == number:
            assert self.before[2] >= percent, "progress never falls within an attempt"
        assert was != "complete" or self.before[0] == "complete"

    @invariant()
    def there_is_one_attempt_at_work_and_one_result(self) -> None:
        status, number, _percent = self.before
        active = list(Attempt.objects.filter(ended_at=None).values_list("number", flat=True))
        assert active == ([number] if status in ("dispatching", "running") else [])
        assert Result.objects.count() == int(status == "complete")

    def look(self) -> tuple[str, int, float]:
        rows = JobInput.objects.filter(pk=self.pk)
        return rows.values_list("status", "attempt_count", "percent").get()

    def active(self) -> Attempt:
        running = Attempt.objects.select_related("job_input__job", "job_input__upload", "worker")
        return running.get(job_input=self.pk, ended_at=None)


def observation(how: str, percent: float) -> Observation:
    """What a poll may bring."""
    if how == "unknown":
        return Observation(is_unknown=True)
    if how in ("silent", "asleep"):
        return Observation(reason="no answer", was_awake=how == "silent")
    return Observation(status=cast(JobStatus, {"status": how, "progress": {"percent": percent}}))
