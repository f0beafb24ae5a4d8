"""Supervises the processes of one machine: web, Celery with beat, and the local worker."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import requests
from django.conf import settings

from bulktranscribe.environment import BASE_DIR
from gpu_worker.shared.file_lock import locked, try_lock

STOP_SECONDS = 10.0
READY_SECONDS = 60.0
CALM_SECONDS = 30.0
PR_SET_PDEATHSIG = 1
LOG_LIMIT_BYTES = 20_000_000
CONTROLLER_SECRETS = (
    "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "REMOTE_WORKER_TOKEN", "LOCAL_WORKER_TOKEN",
)  # fmt: skip


class StackError(Exception):
    """The processes cannot start; the message is for users."""


@dataclass
class Service:
    """One process: its command and readiness URL."""

    name: str
    argv: list[str]
    env: dict[str, str]
    ready_url: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        if not self.ready_url:
            return self.is_running()
        try:
            return requests.get(self.ready_url, timeout=1).status_code < 500 and self.is_running()
        except requests.RequestException:
            return False


def services() -> list[Service]:
    """Return the three processes according to the settings."""
    web_url = f"http://127.0.0.1:{settings.WEB_PORT}/api/remote-worker/status"
    python, manage = sys.executable, str(BASE_DIR / "manage.py")
    celery = (
        "-m celery -A bulktranscribe worker --beat --pool threads --concurrency 8 --loglevel info "
        "--without-gossip --without-mingle --without-heartbeat"
    )
    return [
        Service("web", [python, manage, "serve"], env=controller_environment(), ready_url=web_url),
        Service("celery", [python, *celery.split()], env=controller_environment()),
        Service(
            "worker",
            [python, "-m", "gpu_worker"],
            env=worker_environment(),
            ready_url=f"{settings.LOCAL_WORKER_URL}/health",
        ),
    ]


def controller_environment() -> dict[str, str]:
    """Return the environment of web and Celery: that of this process, with the chosen ports."""
    return {
        **os.environ,
        "DATA_DIR": str(settings.DATA_DIR),
        "WEB_PORT": str(settings.WEB_PORT),
        "LOCAL_WORKER_URL": settings.LOCAL_WORKER_URL,
        "LOCAL_CONTROLLER_URL": settings.LOCAL_CONTROLLER_URL,
        "CONTROLLER_BASE_URL": settings.CONTROLLER_BASE_URL,
    }


def worker_environment() -> dict[str, str]:
    """Return the environment of the local worker: loopback only, folders inside DATA_DIR, no secrets but its own."""
    folder = Path(settings.DATA_DIR) / "worker"
    return {
        **{name: value for name, value in os.environ.items() if name not in CONTROLLER_SECRETS},
        "WORKER_TOKEN": settings.LOCAL_WORKER_TOKEN,
        "WORKER_HOST": "127.0.0.1",
        "WORKER_PORT": str(_port(settings.LOCAL_WORKER_URL)),
        "WORKER_TMP_DIR": str(folder / "tmp"),
        "WORKER_STATE_DIR": str(folder / "state"),
        "WORKER_MODEL": settings.LOCAL_WORKER_MODEL,
        "WORKER_MAX_FILE_MB": str(settings.MAX_UPLOAD_MB),
        "CONTROLLER_ORIGIN": settings.LOCAL_CONTROLLER_URL,
    }


class Stack:
    """The processes of this installation; at most one Stack runs on a DATA_DIR at a time."""

    def __init__(self, say: Callable[[str], None] = print) -> None:
        self.services = services()
        self.say = say
        self.lock: TextIO | None = None

    def __enter__(self) -> "Stack":
        self._take_lock()
        try:
            self._check_ports()
            for service in self.services:
                self._start(service)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def wait_ready(self) -> None:
        """Wait until all processes respond. Raises StackError if one exits or takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        for service in self.services:
            while not service.is_ready():
                if not service.is_running() or time.monotonic() > deadline:
                    raise StackError(f"{service.name} did not start. See its log: {self.log_path(service)}")
                time.sleep(0.1)

    def tend(self) -> None:
        """Restart processes that have exited, once all their children are gone, with increasing pauses.

        A killed Celery leaves its forked beat behind, which would keep ticking next to the new one.
        """
        for service in self.services:
            if not service.is_running() and time.monotonic() - service.started_at > self._pause(service):
                self.say(f"{service.name} exited; restarting it. See its log: {self.log_path(service)}")
                _signal_group(service, signal.SIGKILL)
                self._start(service)

    def stop(self) -> None:
        """Stop all processes and their children, gracefully first."""
        for service in reversed(self.services):
            _signal_group(service, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for service in self.services:
            if service.process is not None:
                try:
                    service.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
                _signal_group(service, signal.SIGKILL)
                service.process.wait()
                service.process = None
        if self.lock is not None:
            self.lock.close()
            self.lock = None

    def log_path(self, service: Service) -> Path:
        return Path(settings.DATA_DIR) / "logs" / f"{service.name}.log"

    def _start(self, service: Service) -> None:
        path = self.log_path(service)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep = path.exists() and path.stat().st_size < LOG_LIMIT_BYTES
        with path.open("ab" if keep else "wb") as log:
            service.process = subprocess.Popen(
                service.argv,
                cwd=BASE_DIR,
                env=service.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process only, which then ends them in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        service.started_at = time.monotonic()

    def _pause(self, service: Service) -> float:
        return 0.0 if time.monotonic() - service.started_at > CALM_SECONDS else 3.0

    def _take_lock(self) -> None:
        lock = _lock_path().open("a")
        if not try_lock(lock):
            lock.close()
            raise StackError(
                f"Bulk Transcribe is already running on {settings.DATA_DIR}: open {settings.LOCAL_CONTROLLER_URL}/"
            )
        self.lock = lock

    def _check_ports(self) -> None:
        for port, variable in (
            (settings.WEB_PORT, "WEB_PORT=9476"),
            (_port(settings.LOCAL_WORKER_URL), "LOCAL_WORKER_URL=http://127.0.0.1:9478"),
        ):
            if not is_free(port):
                raise StackError(
                    f"Port {port} is already in use. Stop the program that uses it, or choose another port: "
                    f"{variable} make up"
                )


def is_running() -> bool:
    """Return whether a Stack runs on this DATA_DIR."""
    with locked(_lock_path()) as is_free_now:
        return not is_free_now


def is_free(port: int) -> bool:
    """Return whether this loopback port is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _lock_path() -> Path:
    return Path(settings.DATA_DIR) / "up.lock"


def _port(url: str) -> int:
    return urlsplit(url).port or 80


def _die_with_parent() -> None:
    """Make the process exit with its parent, so that no port stays in use."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(service: Service, number: signal.Signals) -> None:
    if service.process is not None:
        try:
            os.killpg(service.process.pid, number)
        except ProcessLookupError:
            pass
