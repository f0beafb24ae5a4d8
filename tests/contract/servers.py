"""PostgreSQL and Redis for the tests: the ones that run on the default local ports, else started here."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_port


@contextmanager
def postgres_and_redis(folder: Path) -> Iterator[dict[str, str]]:
    """Yield DATABASE_URL and REDIS_URL under names of their own; skip with a reason where there are none."""
    with ExitStack() as stack:
        url = stack.enter_context(database(folder))
        redis = stack.enter_context(_redis())
        prefix = f"bulktranscribe-test-{uuid.uuid4().hex[:8]}:"
        yield {"DATABASE_URL": url, "REDIS_URL": redis, "REDIS_PREFIX": prefix}


@contextmanager
def database(folder: Path) -> Iterator[str]:
    with ExitStack() as stack:
        server = "postgresql://postgres@127.0.0.1:5432"
        if not _accepts(server):
            server = stack.enter_context(_own_postgres(folder))
        name = f"bulktranscribe_test_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            yield f"{server}/{name}"
        finally:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _accepts(server: str) -> bool:
    try:
        psycopg.connect(f"{server}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _own_postgres(folder: Path) -> Iterator[str]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    binaries = (
        found[-1].parent if found else Path(shutil.which("initdb") or _unavailable("PostgreSQL")).parent
    )
    port, data = free_port(), folder / "postgres"
    data.mkdir()
    as_user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(data, "postgres")
        for parent in data.parents:
            if parent != Path("/") and parent.owner() == "root" and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
        as_user = ["runuser", "-u", "postgres", "--"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    control = [*as_user, str(binaries / "pg_ctl"), "-D", str(data)]
    subprocess.run(
        [*as_user, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"],
        check=True, stdout=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    log = str(data / "log")
    start = [*control, "-w", "-o", options, "-l", log, "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def _redis() -> Iterator[str]:
    if _listens(6379):
        yield "redis://127.0.0.1:6379/0"
        return
    with OwnRedis() as server:
        yield server.url


class OwnRedis:
    """A Redis of the test's own, on a port of its own: one that may be killed, frozen and flushed."""

    def __init__(self) -> None:
        self.binary = shutil.which("redis-server") or _unavailable("Redis")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "OwnRedis":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        argv = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.server = subprocess.Popen([self.binary, *argv], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not _listens(self.port) and time.monotonic() < deadline:
            time.sleep(0.05)

    def stop(self) -> None:
        self.server.kill()
        self.server.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        self.server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.server.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget every message; silent where it is just down."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"FLUSHALL\r\n")
                connection.recv(64)
        except OSError:
            pass


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _unavailable(name: str) -> str:
    reason = f"{name} neither runs on its default local port nor is installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
