"""Judging a running attempt by one observation: pure."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from gpu_worker.shared.protocol import JobStatus
from jobs.statuses import Event
from remoteworker.attempts.leases import Decision, Observation, Times, decide

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(seconds=30), NOW - timedelta(seconds=1)


def seen(status: str, was_awake: bool = True, **more: Any) -> Observation:
    said = cast(JobStatus, {"status": status, "progress": {"percent": 5}, **more})
    return Observation(status=said, was_awake=was_awake)


def times(**changes: Any) -> Times:
    return Times(**{"lease_until": LATER, "deadline_at": LATER, **changes})


def test_a_running_job_that_answers_goes_on() -> None:
    assert decide(times(), seen("running"), NOW) == Decision(is_contact=True)


def test_a_genuine_404_loses_the_job_with_the_words_of_the_protocol() -> None:
    decision = decide(times(), Observation(is_unknown=True), NOW)
    assert (decision.event, decision.code) == (Event.LOST, "REMOTE_JOB_NOT_FOUND")
    assert decision.message == "Remote worker restarted or job expired; please retry."


def test_silence_inside_the_lease_changes_nothing() -> None:
    assert decide(times(), Observation(reason="connection refused"), NOW) == Decision()


def test_silence_past_the_lease_loses_the_job() -> None:
    decision = decide(times(lease_until=EARLIER), Observation(reason="connection refused"), NOW)
    assert (decision.event, decision.code) == (Event.LOST, "REMOTE_LEASE_EXPIRED")


@pytest.mark.parametrize(
    ("clock", "observed"),
    [
        ({"lease_until": EARLIER}, Observation(reason="connection refused", was_awake=False)),
        ({"deadline_at": EARLIER}, Observation(reason="connection refused", was_awake=False)),
        ({"deadline_at": EARLIER}, seen("running", was_awake=False)),
        ({"outputs_due_at": EARLIER}, seen("complete", was_awake=False)),
    ],
)
def test_a_poller_that_slept_declares_nothing_over(clock: dict[str, Any], observed: Observation) -> None:
    assert decide(times(**clock), observed, NOW).event is None


def test_an_answer_past_the_lease_renews_it() -> None:
    assert decide(times(lease_until=EARLIER), seen("running"), NOW).is_contact


def test_the_deadline_ends_a_job_that_still_runs() -> None:
    assert decide(times(deadline_at=EARLIER), seen("running"), NOW).code == "REMOTE_TIMEOUT"


def test_a_poll_that_says_complete_completes_nothing() -> None:
    decision = decide(times(), seen("complete"), NOW)
    assert decision == Decision(is_contact=True, outputs_expected=True)


def test_outputs_that_never_come_fail_the_input() -> None:
    decision = decide(times(outputs_due_at=EARLIER), seen("complete"), NOW)
    assert (decision.event, decision.code) == (Event.FAILED_BY_WORKER, "REMOTE_OUTPUTS_MISSING")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": "INPUT_UNDECODABLE", "message": "no audio stream"}, "INPUT_UNDECODABLE", "no audio stream"),
        ({"code": "SOMETHING_NEW", "message": "odd"}, "PROCESSING_ERROR", "odd"),
        ("it broke", "PROCESSING_ERROR", "it broke"),
        (None, "PROCESSING_ERROR", "The worker encountered an unexpected error."),
    ],
)
def test_a_failure_keeps_its_code_where_it_is_known(error: Any, code: str, message: str) -> None:
    decision = decide(times(), seen("failed", error=error), NOW)
    assert (decision.event, decision.code, decision.message) == (Event.FAILED_BY_WORKER, code, message)
