"""`manage.py up` as a person starts it: own folder, own ports, tiny model, no internet."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 120.0
STOP_SECONDS = 30.0
SECRETS = ("SECRET_KEY", "LOCAL_WORKER_TOKEN", "DJANGO_SETTINGS_MODULE")


class Installation:
    """Web, Celery and local worker, from entering to leaving."""

    def __init__(self, folder: Path, **variables: str) -> None:
        web, worker = free_port(), free_port()
        self.url = f"http://127.0.0.1:{web}"
        self.log_path = folder / "up.log"
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in SECRETS},
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": f"sqlite:///{folder}/data/bulktranscribe.sqlite3",
            "REDIS_URL": "",
            "DEBUG": "0",
            "WEB_PORT": str(web),
            "CONTROLLER_BASE_URL": "",
            "LOCAL_CONTROLLER_URL": "",
            "LOCAL_WORKER_URL": f"http://127.0.0.1:{worker}",
            "LOCAL_WORKER_MODEL": "tiny.en",
            "REMOTE_WORKER_MODE": "off",
            "REMOTE_WORKER_URL": "",
            "REMOTE_WORKER_POLL_SECONDS": "1",
            "LANGUAGE_CODE": "en",
            "HTTPS_PROXY": "http://127.0.0.1:9",  # no model hub from here, wherever the test runs
            "PYTHONUNBUFFERED": "1",
            **variables,
        }

    def __enter__(self) -> "Installation":
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=REPOSITORY,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self, command: str) -> None:
        """End the process of this installation that runs such a command of manage.py; it is started again."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
                argv = (path.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:  # it has ended
                continue
            if parent == self.process.pid and command.encode() in argv:
                os.kill(int(path.parent.name), signal.SIGKILL)

    def sign_in_link(self) -> str:
        """Make a new link; those made before it, and not used, still work."""
        said = self.manage("sign_in_link")
        found = re.search(r"http\S+", said)
        assert found, said
        return found[0]

    def manage(self, *command: str) -> str:
        """Run a command of manage.py on this installation, and return what it says."""
        argv = [sys.executable, "manage.py", *command]
        env = {**self.env, **_variables(Path(self.env["DATA_DIR"]) / "secrets.env")}
        done = subprocess.run(argv, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while "The worker is ready" not in self.log_path.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log_path.read_text()
            time.sleep(0.2)


def _variables(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
