"""A real worker process on a real socket, as tests drive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import requests

from tests.gpu_worker.controller import SIGNATURE, TOKEN
from tests.gpu_worker.engines import SPOKEN

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

PATIENCE = 120.0  # seconds until a test gives up waiting: real speech on a slow machine takes some of them


class Worker:
    """One `python -m gpu_worker` with folders of its own below `home`; may be killed and started again."""

    def __init__(self, home: Path, **environ: str) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.tmp_dir = home / "tmp"
        self.state_dir = home / "tmp-state"
        self.environ = {
            "WORKER_TOKEN": TOKEN,
            "WORKER_HOST": "127.0.0.1",
            "WORKER_PORT": "0",
            "WORKER_TMP_DIR": str(self.tmp_dir),
            "WORKER_CACHE_DIR": str(home / "cache"),
            "WORKER_MODEL": "tiny.en",
            "WORKER_ENGINE": "tests.gpu_worker.engines:Scripted",
            **environ,
        }
        self.python, self.cwd = Path(sys.executable), ROOT
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self._log = home / "worker.log"
        self._read_from = 0

    def __enter__(self) -> Worker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, or start again after `kill`, and wait until it answers."""
        self.look_from_here()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "gpu_worker"],
                cwd=self.cwd,
                env={**os.environ, **self.environ},
                stderr=log,
            )
        line = wait_for(lambda: next(iter(self.events("worker_started")), None))
        self.url = f"http://127.0.0.1:{line['port']}"

    def kill(self) -> None:
        """As a power cut would: nothing is cleaned up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and a look at the log."""
        self._end(signal.SIGTERM)
        self.check_log()

    def look_from_here(self) -> None:
        """What was logged until now is no event any more."""
        self._read_from = self._log.stat().st_size if self._log.exists() else 0

    def check_log(self) -> None:
        """The rule for every test: no secret, name or text in the log."""
        written = self._log.read_text()
        for forbidden in (TOKEN, SIGNATURE, "secret name", SPOKEN, "sig=", "Traceback"):
            assert forbidden not in written, f"the log holds {forbidden!r}"

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of this event since the last start."""
        lines = self._log.read_bytes()[self._read_from :].splitlines()
        rows = [cast("dict[str, Any]", json.loads(line)) for line in lines if line.endswith(b"}")]
        return [row for row in rows if row["event"] == name]

    def get(self, path: str, token: str = TOKEN) -> requests.Response:
        """GET with the token."""
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def post(self, path: str, body: object = None, key: str = "", token: str = TOKEN) -> requests.Response:
        """POST JSON with the token, and with an idempotency key if there is one."""
        headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
        return requests.post(self.url + path, json=body, headers=headers, timeout=30)

    def begin(self, body: object, key: str = "") -> str:
        """Start a job; return its id."""
        reply = self.post("/v1/jobs", body, key)
        assert reply.status_code in (200, 201), reply.text
        return str(reply.json()["workerJobId"])

    def poll(self, job_id: str) -> dict[str, Any]:
        """The job's status."""
        reply = self.get(f"/v1/jobs/{job_id}")
        assert reply.status_code == 200, reply.text
        return cast("dict[str, Any]", reply.json())

    def reach(self, job_id: str, *states: str) -> dict[str, Any]:
        """Wait until the job's status or stage is one of these."""

        def look() -> dict[str, Any] | None:
            status = self.poll(job_id)
            return status if status["status"] in states or status["stage"] in states else None

        return wait_for(look)

    def scratch(self) -> list[Path]:
        """What lies in the worker's scratch folder."""
        return list((self.tmp_dir / "bulk-transcribe-work").iterdir())

    def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)


def wait_for(look: Callable[[], T | None]) -> T:
    """Return what `look` finds as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")
