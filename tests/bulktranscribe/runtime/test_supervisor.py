"""What becomes of a process of `up` that ends by itself."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bulktranscribe.runtime import supervisor
from bulktranscribe.runtime.supervisor import Service, Stack
from tests.bulktranscribe.runtime.test_start import alive
from tests.contract.installation import clean_environment, wait_for
from tests.ports import free_port

FORKS = """
import os, sys, time
child = os.fork()
if child:
    with open(sys.argv[1], "a") as file:
        file.write(f"{child}\\n")
time.sleep(60)
"""  # as Celery, whose beat is a fork


@pytest.fixture
def forks(tmp_path: Path) -> Path:
    """Where the service writes down what it has forked, at each start."""
    return tmp_path / "forks"


@pytest.fixture
def running(tmp_path: Path, forks: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    settings.DATA_DIR, settings.WEB_PORT = tmp_path, free_port()
    settings.LOCAL_WORKER_URL = f"http://127.0.0.1:{free_port()}"
    service = Service("celery", [sys.executable, "-c", FORKS, str(forks)], env=clean_environment())
    monkeypatch.setattr(supervisor, "services", lambda: [service])
    with Stack(lambda text: None) as made:
        yield made


def children(forks: Path) -> list[int]:
    return [int(line) for line in forks.read_text().split()] if forks.exists() else []


def test_what_a_killed_process_had_forked_ends_before_another_is_started(running: Stack, forks: Path) -> None:
    service = running.services[0]
    wait_for(lambda: len(children(forks)) == 1, 30, "it forks")
    [child] = children(forks)
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    assert alive([child]) == [child]
    service.started_at = time.monotonic() - supervisor.CALM_SECONDS - 1
    running.tend()
    wait_for(lambda: alive([child]) == [], 30, "what the first one forked ends")
    wait_for(lambda: len(children(forks)) == 2, 30, "it is started again")
    assert len(alive(children(forks))) == 1
    running.stop()
    assert alive(children(forks)) == []
