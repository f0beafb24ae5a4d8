"""A worker and a controller that stand through many tests: a worker takes longer to start than most tests take."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import requests

from tests.gpu_worker.controller import TOKEN, Controller
from tests.gpu_worker.worker import Worker, wait_for


class StandingWorker(Worker):
    """Lent to one test after the other: what one has begun is gone, and its keys are free, when the next one comes."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._numbers = count()
        self._test = ""
        self._begun: set[str] = set()

    def lend(self) -> None:
        """Begin a test: it sees its own log lines only. Started, and started again, where it does not run."""
        self._test = f"test-{next(self._numbers)}-"
        if self.process is None or self.process.poll() is not None:
            self.start()
        self.look_from_here()

    def take_back(self) -> None:
        """End a test: check what was logged, and stop what was begun. Ends itself where that does not go away."""
        try:
            self.check_log()
            for job_id in self._begun:
                headers = {"Authorization": f"Bearer {TOKEN}"}
                requests.delete(f"{self.url}/v1/jobs/{job_id}", headers=headers, timeout=30)
            wait_for(self._is_idle)
        except (requests.RequestException, AssertionError):
            self.stop()
            raise
        finally:
            self._begun.clear()
        for path in (self.tmp_dir / "bulk-transcribe-kept").glob("*"):
            path.unlink()

    def post(self, path: str, body: object = None, key: str = "", token: str = TOKEN) -> requests.Response:
        """As ever; keys and jobs without a key are this test's own."""
        sent: Any = body
        if path == "/v1/jobs" and not key and isinstance(sent, dict) and sent.get("controllerJobId"):
            sent = {**sent, "controllerJobId": f"{self._test}{sent['controllerJobId']}"}
        reply = super().post(path, sent, f"{self._test}{key}" if key else "", token)
        if path == "/v1/jobs" and reply.status_code in (200, 201):
            self._begun.add(str(reply.json()["workerJobId"]))
        return reply

    def _is_idle(self) -> bool:
        is_free = self.get("/v1/ping").json()["activeJobs"] == 0
        return is_free and not self.scratch() and not list((self.state_dir / "results").iterdir())


class StandingController(Controller):
    """The only address that a standing worker delivers to, with nothing in it at the start of each test."""

    def lend(self, files: dict[str, bytes]) -> None:
        """Forget what was heard."""
        self.files, self.outputs, self.completes, self.downloads = files, [], [], []
        self.interfere = lambda _request: None
