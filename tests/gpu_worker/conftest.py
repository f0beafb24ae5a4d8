"""A controller and workers for the tests in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gpu_worker.controller import Controller
from tests.gpu_worker.sounds import tone
from tests.gpu_worker.worker import Worker


@pytest.fixture
def controller() -> Iterator[Controller]:
    with Controller(files={"a.wav": tone(3), "b.wav": tone(2)}) as running:
        yield running


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Worker(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def idle_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """For requests that start nothing."""
    with Worker(tmp_path_factory.mktemp("idle")) as running:
        yield running
