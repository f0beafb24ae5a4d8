"""An installation that can be killed, frozen, cut off and flushed: rehearsal workers, every period divided."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.checker import Checker
from tests.chaos.proxy import Proxy
from tests.contract import media
from tests.contract.installation import CELERY, Installation, answers, wait_for
from tests.ports import free_port

DIVISOR = 20
PROFILE = {
    "PERIODS_DIVISOR": str(DIVISOR),
    "REMOTE_WORKER_POLL_SECONDS": "10",  # half a second
    "REMOTE_WORKER_MAX_ATTEMPTS": "1",
    "ORPHAN_SECONDS": "200",
    "PRUNE_SECONDS": "60",
    "LOG_LEVEL": "INFO",
    "SOUND_SECONDS": "0",  # storms are about jobs; a child for each of 200 files would be most of their work
}
LEASE = 90 / DIVISOR


class Stage(Installation):
    """`workers` boxes, each behind a proxy of its own; all of them reach the controller through another."""

    def __init__(
        self, folder: Path, workers: int = 1, speed: float = 4.0, slots: int = 1, **variables: str
    ) -> None:
        super().__init__(folder, **{**PROFILE, **variables})
        self.proxy.close()
        self.checker: Checker | None = None
        self.to_controller = Proxy(self.web_port)
        self.worker_ports = [free_port() for _ in range(workers)]
        self.to_workers = [Proxy(port) for port in self.worker_ports]
        urls = ",".join(f"http://127.0.0.1:{proxy.port}" for proxy in self.to_workers)
        self.controller_env |= {
            "REMOTE_WORKER_URL": urls,
            "CONTROLLER_BASE_URL": f"http://127.0.0.1:{self.to_controller.port}",
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        self.worker_env |= {
            "WORKER_ENGINE": "rehearsal",
            "WORKER_REHEARSAL_SPEED": str(speed),
            "WORKER_MAX_CONCURRENT_JOBS": str(slots),
            "WORKER_QUEUE_SIZE": "1",
            "PERIODS_DIVISOR": str(DIVISOR),
        }

    # Processes --------------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        return [f"worker-{number}" for number in range(len(self.worker_ports))]

    def start_worker(self) -> None:
        for name in self.names:
            self.start_service(name)
        for port in self.worker_ports:
            wait_for(lambda port=port: answers(f"http://127.0.0.1:{port}/health"), 30, "the workers answer")

    def start_service(self, name: str) -> None:
        if name == "web":
            self.start(name, "manage.py", "serve", env=self.controller_env)
        elif name == "celery":
            self.start(name, *CELERY.split(), env=self.controller_env)
        else:
            number = int(name.rpartition("-")[2])
            folders = {
                "WORKER_PORT": str(self.worker_ports[number]),
                "WORKER_TMP_DIR": str(self.folder / f"{name}-tmp"),
                "WORKER_STATE_DIR": str(self.folder / f"{name}-state"),
            }
            self.start(name, "-m", "gpu_worker", env=self.worker_env | folders)

    def kill(self, name: str) -> None:
        """As power that is cut: kill -9 of the process and all it started."""
        process = self.processes.pop(name)
        send(process, signal.SIGKILL)
        process.wait()

    def restart(self, name: str) -> None:
        self.kill(name)
        self.start_service(name)

    def start_over(self, name: str) -> None:
        """End it politely, forget its log and journal, start it again."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait(30)
        (self.folder / f"{name}.log").unlink(missing_ok=True)
        shutil.rmtree(self.folder / f"{name}-state", ignore_errors=True)
        self.start_service(name)
        port = self.worker_ports[int(name.rpartition("-")[2])]
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), 30, "it answers again")

    @contextmanager
    def short_files(self, limit: int) -> Iterator[None]:
        """No file of a worker may grow beyond `limit` bytes: to the program, that is a full disk."""
        pids = [self.processes[name].pid for name in self.names]
        before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids]
        for pid, (_soft, hard) in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
        try:
            yield
        finally:
            for pid, limits in zip(pids, before, strict=True):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    def freeze(self, name: str) -> None:
        send(self.processes[name], signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        send(self.processes[name], signal.SIGCONT)

    def stop(self) -> None:
        if self.checker is not None:
            self.checker.stop()
        for process in self.processes.values():
            send(process, signal.SIGCONT)
        super().stop()
        for proxy in (self.to_controller, *self.to_workers):
            proxy.close()

    def scratch(self, number: int) -> list[Path]:
        """The jobs whose files a worker holds now."""
        folder = self.folder / f"worker-{number}-tmp" / "bulk-transcribe-work"
        return list(folder.iterdir()) if folder.exists() else []

    @contextmanager
    def locked_database(self) -> Iterator[None]:
        """Somebody else writes all the time."""
        url = self.controller_env.get("DATABASE_URL")
        if url is None:
            connection = sqlite3.connect(
                self.folder / "data" / "bulktranscribe.sqlite3", isolation_level=None
            )
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.rollback()
            connection.close()
            return
        with psycopg.connect(url) as server:
            server.execute("LOCK TABLE jobs_jobinput, remoteworker_attempt, remoteworker_worker")
            yield
            server.rollback()

    def heal(self) -> None:
        """Everything runs and every network passes."""
        for proxy in (self.to_controller, *self.to_workers):
            proxy.heal()
        for name in ("web", "celery", *self.names):
            process = self.processes.get(name)
            if process is None or process.poll() is not None:
                self.start_service(name)
            else:
                self.thaw(name)
        wait_for(lambda: answers(f"{self.url}/accounts/login/"), 30, "the web process answers")
        wait_for(self.all_connected, 30, "all workers are connected")

    def all_connected(self) -> bool:
        workers = self.status().get("workers", [])
        return len(workers) == len(self.names) and all(row["connected"] for row in workers)

    # What people do and see -------------------------------------------------------------------------

    def run(self, session: str, *lengths: float) -> str:
        """Upload recordings of these lengths, in seconds, and start a job; return its id."""
        files = {f"{number}-{length:g}.wav": tone(length) for number, length in enumerate(lengths)}
        return self.start_job(session, self.upload(session, files)["uploads"])

    def file(self, job_id: str) -> dict[str, Any]:
        """The first file of a job, as its page shows it."""
        row: dict[str, Any] = self.job(job_id)["inputs"][0]
        return row

    def wait_status(self, job_id: str, *wanted: str, seconds: float = 30) -> dict[str, Any]:
        row: dict[str, Any] = wait_for(
            lambda: (row := self.file(job_id))["status"] in wanted and row, seconds, f"it is {wanted}"
        )
        return row

    def check(self) -> None:
        """Every invariant holds."""
        if self.checker is None:
            self.checker = Checker(self.controller_env)
        assert self.checker.broken() == []


def tone(seconds: float) -> bytes:
    """A recording of this length, to the millisecond."""
    return media.wav(media.np.zeros(round(seconds * media.RATE), dtype="int16") + 1)


def send(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
