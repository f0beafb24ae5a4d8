"""The ten invariants hold whatever happens in whatever order."""

import os

from hypothesis import HealthCheck, Phase
from hypothesis import settings as Runs
from hypothesis.stateful import run_state_machine_as_test
from pytest_django import Settings

from tests.remoteworker.life import Life

RUNS = int(os.environ.get("LIFE_RUNS") or 50)  # `make test-life` asks for 2,000


def test_the_invariants_hold_whatever_happens(db: None, settings: Settings) -> None:
    settings.REMOTE_WORKER_MAX_ATTEMPTS = 2
    run_state_machine_as_test(Life, settings=many_runs())


def many_runs() -> Runs:
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return Runs(
        max_examples=RUNS,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to make a failing run shorter takes minutes: it has 25 steps at most
        suppress_health_check=slow,
    )
