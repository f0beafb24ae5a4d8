"""A controller and workers for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gpu_worker.controller import Controller
from tests.gpu_worker.sounds import tone
from tests.gpu_worker.standing import StandingController, StandingWorker
from tests.gpu_worker.worker import Worker


@pytest.fixture
def controller(request: pytest.FixtureRequest) -> Iterator[Controller]:
    files = {"a.wav": tone(3), "b.wav": tone(2)}
    if shares_worker(request):
        standing: StandingController = request.getfixturevalue("standing_controller")
        standing.lend(files)
        yield standing
        return
    with Controller(files=files) as running:
        yield running


@pytest.fixture
def worker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Worker]:
    """The worker that stands through the tests, or with the mark `clean` one of the test's own."""
    if shares_worker(request):
        standing: StandingWorker = request.getfixturevalue("standing_worker")
        standing.lend()
        yield standing
        standing.take_back()
        return
    with Worker(tmp_path) as running:
        yield running


def shares_worker(request: pytest.FixtureRequest) -> bool:
    return "worker" in request.fixturenames and request.node.get_closest_marker("clean") is None


@pytest.fixture(scope="package")
def standing_controller() -> Iterator[StandingController]:
    with StandingController() as running:
        yield running


@pytest.fixture(scope="package")
def standing_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandingWorker]:
    with StandingWorker(tmp_path_factory.mktemp("standing")) as running:
        yield running


@pytest.fixture(scope="module")
def idle_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """For requests that start nothing."""
    with Worker(tmp_path_factory.mktemp("idle")) as running:
        yield running
