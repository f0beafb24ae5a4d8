"""What a start does and refuses: secrets, settings, ports, the processes of `up`."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bulktranscribe import environment
from bulktranscribe.management.commands.up import Command, prepare
from remoteworker.models import Worker
from tests.contract.installation import REPOSITORY, answers, clean_environment, wait_for
from tests.ports import free_port

KEY = "0123456789-abcdefghijklmnopqrstuv"


def manage(*argv: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    env = {**clean_environment(), **variables}
    argv = (sys.executable, "manage.py", *argv)
    return subprocess.run(argv, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("key", ["", "short", "a" * 50, "django-insecure-0123456789-abcdefghijklmnop"])
def test_a_missing_or_weak_key_stops_the_start_with_a_sentence(key: str, tmp_path: Path) -> None:
    done = manage("check", SECRET_KEY=key, DATA_DIR=str(tmp_path))
    assert done.returncode != 0
    assert "SECRET_KEY is missing or weak" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "variables", [{"REMOTE_WORKER_MODE": "sometimes"}, {"REMOTE_WORKER_URL": "https://gpu.example"}]
)
def test_wrong_worker_settings_stop_the_start(variables: dict[str, str], tmp_path: Path) -> None:
    done = manage("check", SECRET_KEY=KEY, DATA_DIR=str(tmp_path), **variables)
    assert done.returncode != 0
    assert "REMOTE_WORKER_" in done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("REMOTE_WORKER_TIMEOUT_SECONDS", "abc"),
        ("WEB_PORT", "8476.5"),
        ("LEASE_SECONDS", "nan"),
        ("PING_SECONDS", "-1"),
    ],
)
def test_a_wrong_number_stops_the_start_with_a_sentence(name: str, text: str, tmp_path: Path) -> None:
    done = manage("up", DATA_DIR=str(tmp_path), **{name: text})
    assert done.returncode != 0
    assert re.fullmatch(
        rf"Bulk Transcribe cannot start: {name} must be .*'{re.escape(text)}'.*\n", done.stderr
    )


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEB_PORT", "LEASE_SECONDS", "WEB_HOST", "ALLOWED_HOSTS", "DEBUG"):
        monkeypatch.setenv(name, " ")
    assert (environment.number("WEB_PORT", 8476), environment.number("LEASE_SECONDS", 90.0)) == (8476, 90.0)
    assert environment.text("WEB_HOST", "127.0.0.1") == "127.0.0.1"
    assert environment.words("ALLOWED_HOSTS") == []
    assert not environment.flag("DEBUG")


def test_a_command_about_the_code_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = manage("makemigrations", "--check", DEBUG="1", DATA_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert manage("check", DEBUG="1", DATA_DIR=str(folder)).returncode == 0
    assert not folder.exists()


@pytest.mark.parametrize("program", ["bulktranscribe.wsgi", "bulktranscribe.settings"])
def test_a_process_that_serves_makes_the_folders_and_settings_make_none(program: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    env = {**clean_environment(), "SECRET_KEY": KEY, "DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-c", f"import {program}"], cwd=REPOSITORY, env=env, check=True)
    made = ["broker", "incoming", "media", "results", "tmp"] if program == "bulktranscribe.wsgi" else []
    assert sorted(path.name for path in folder.glob("*")) == made


SQLITE_PLACE = "from django.conf import settings; print(settings.DATABASES['default']['NAME'])"


def test_the_database_lies_in_the_data_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "50%20 of what? talk #3"
    done = manage("shell", "--no-imports", "-c", SQLITE_PLACE, SECRET_KEY=KEY, DATA_DIR=str(folder))
    assert Path(done.stdout.strip()) == folder / "bulktranscribe.sqlite3", done.stderr


class Up:
    """`manage.py up`, or another command that starts everything, in a process of its own."""

    def __init__(self, folder: Path, command: str = "up") -> None:
        self.web, self.worker = free_port(), free_port()
        self.env = {
            **clean_environment(),
            "DATA_DIR": str(folder),
            "WEB_PORT": str(self.web),
            "LOCAL_WORKER_URL": f"http://127.0.0.1:{self.worker}",
            "LOCAL_WORKER_MODEL": "tiny.en",
            "PYTHONUNBUFFERED": "1",
        }
        self.log = folder.with_suffix(".out")
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", command], cwd=REPOSITORY, env=self.env, stdout=out, stderr=out
            )

    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> list[int]:
        """Every process below this one, at any depth."""
        table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
        found, parents = [], [self.process.pid]
        while parents:
            parents = [pid for pid, parent in pairs if parent in parents]
            found += parents
        return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    running = Up(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in state(pid)]


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_up_starts_everything_restarts_what_dies_and_ctrl_c_ends_all_of_it(up: Up) -> None:
    wait_for(lambda: "Press Ctrl-C to stop everything" in up.said(), 60, up.said())
    link = re.search(r"Sign in \(one-time\): +(\S+)", up.said())
    assert link
    assert requests.get(link[1], timeout=30).status_code == 200
    secrets = Path(up.env["DATA_DIR"]) / "secrets.env"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    wait_for(lambda: "Installed speech models" in up.said(), 60, "the worker loads its model")

    health = f"http://127.0.0.1:{up.worker}/health"
    worker = next(pid for pid in up.children() if "gpu_worker" in command(pid))
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: alive([worker]) == [] and answers(health), 30, "the worker is started again")

    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=REPOSITORY,
        env=up.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode != 0
    assert "already running" in second.stderr

    children = up.children()
    assert len(children) >= 4
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0
    assert alive(children) == []
    assert "Your data is kept" in up.said()


@pytest.mark.parametrize(
    ("name", "code", "said"), [("up", 0, "Your data is kept"), ("demo", 130, "Interrupted.")]
)
def test_ctrl_c_in_the_first_seconds_ends_with_a_sentence(
    name: str, code: int, said: str, tmp_path: Path
) -> None:
    running = Up(tmp_path / "data", name)
    wait_for(lambda: "Migrating the database" in running.said(), 60, running.said())
    running.process.send_signal(signal.SIGINT)
    try:
        assert running.process.wait(30) == code
    finally:
        running.process.kill()
        running.process.wait()
    assert said in running.said()
    assert "Traceback" not in running.said()


def test_ctrl_c_while_python_imports_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "celery.py").write_text("raise KeyboardInterrupt")
    done = manage("up", DATA_DIR=str(tmp_path / "data"), PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (130, "Interrupted.")


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def test_a_killed_up_takes_its_processes_along(up: Up) -> None:
    wait_for(lambda: "Press Ctrl-C to stop everything" in up.said(), 60, up.said())
    children = up.children()
    up.process.kill()
    up.process.wait()
    wait_for(lambda: alive(children) == [], 30, "no process is left")


def test_a_taken_port_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = manage("up", DATA_DIR=str(tmp_path / "data"), WEB_PORT=str(port))
    assert done.returncode != 0
    assert f"Port {port} is already in use" in done.stderr
    assert "WEB_PORT=" in done.stderr


def test_the_worker_of_this_machine_stays_one_row_when_its_port_changes(db: None, settings: Any) -> None:
    settings.LOCAL_WORKER_TOKEN = "local-token-0123456789"
    for port in (8478, 50123, 8478):
        settings.LOCAL_WORKER_URL = f"http://127.0.0.1:{port}"
        prepare(Command())
        only = Worker.objects.get()
        assert (only.name, only.url, only.is_retired) == ("local", settings.LOCAL_WORKER_URL, False)


def test_an_empty_key_in_the_environment_does_not_hide_the_made_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SECRET_KEY", "  ")
    monkeypatch.delenv("LOCAL_WORKER_TOKEN", raising=False)
    environment.make_secrets(environment.load_environment())
    made: dict[str, Any] = dict(os.environ)
    assert len(made["SECRET_KEY"]) > 40
    assert len(made["LOCAL_WORKER_TOKEN"]) > 30
    environment.make_secrets(tmp_path)
    assert os.environ["SECRET_KEY"] == made["SECRET_KEY"]


def test_a_python_without_venv_leaves_no_half_environment(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(
        '#!/bin/sh\n[ "$2" = venv ] || exit 0\nmkdir -p "$3/bin" && touch "$3/bin/python"; exit 1\n'
    )
    python.chmod(0o755)
    argv = ["make", "-f", str(REPOSITORY / "Makefile"), ".venv/bin/python", f"PYTHON={python}"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()
