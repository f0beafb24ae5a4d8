"""A whole installation in processes of its own: web, Celery, a real worker, each on a real socket."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.ports import free_port

REPOSITORY = Path(__file__).resolve().parent.parent.parent
TOKEN = "contract-token-0123456789-abcdefgh"
SECRET = "contract-secret-key-0123456789-abcdefghijk"
CELERY = (
    "-m celery -A bulktranscribe worker --beat --pool threads --concurrency 4 --loglevel info "
    "--without-gossip --without-mingle --without-heartbeat"
)
FOREIGN = (
    "DATABASE_URL", "REDIS_URL", "REMOTE_WORKER_MODE", "REMOTE_WORKER_URL", "REMOTE_WORKER_TOKEN", "SECRET_KEY",
    "SECRET_KEY_FALLBACKS", "LOCAL_WORKER_TOKEN", "LOCAL_WORKER_URL", "CONTROLLER_BASE_URL", "DATA_DIR",
    "DJANGO_SETTINGS_MODULE", "DEBUG", "REMOTE_WORKER_UPLOAD_MODE",
)  # fmt: skip


def clean_environment() -> dict[str, str]:
    """This process's variables without those of the tests and of the person who runs them."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN}


def wait_for(what: Callable[[], Any], seconds: float, why: str) -> Any:
    """Return the first true answer of `what`; fail with `why` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := what():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:g} s: {why}")


def manage(env: dict[str, str], *argv: str) -> str:
    """Run a command of manage.py that has to succeed; return what it prints."""
    argv = (sys.executable, "manage.py", *argv)
    done = subprocess.run(argv, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class RecordingProxy:
    """Passes bytes on to the worker and keeps what went there."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.heard = bytearray()
        self.bytes_a_second = 0  # of requests; 0 is as fast as it goes
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return  # closed
            try:
                worker = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()  # the worker is down: so is its proxy
                continue
            threading.Thread(target=self._pump, args=(client, worker, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(worker, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        try:
            while block := source.recv(65536):
                if is_request:
                    self.heard += block
                    if self.bytes_a_second:
                        time.sleep(len(block) / self.bytes_a_second)
                target.sendall(block)
        except OSError:
            pass
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()


class Installation:
    """Starts in `folder`; `variables` choose database, broker and mode."""

    def __init__(self, folder: Path, model: str = "tiny.en", **variables: str) -> None:
        self.folder = folder
        self.web_port, self.worker_port = free_port(), free_port()
        self.proxy = RecordingProxy(self.worker_port)
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.browser = requests.Session()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        base = clean_environment()
        self.controller_env = {
            **base,
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": SECRET,
            "WEB_PORT": str(self.web_port),
            "REMOTE_WORKER_URL": f"http://127.0.0.1:{self.proxy.port}",
            "REMOTE_WORKER_TOKEN": TOKEN,
            "REMOTE_WORKER_MODE": "required",
            "REMOTE_WORKER_POLL_SECONDS": "1",
            **variables,
        }
        self.worker_env = {
            **base,
            "WORKER_TOKEN": f" {TOKEN}\n",  # tokens are trimmed
            "WORKER_HOST": "127.0.0.1",
            "WORKER_PORT": str(self.worker_port),
            "WORKER_TMP_DIR": str(folder / "worker-tmp"),
            "WORKER_STATE_DIR": str(folder / "worker-state"),
            "WORKER_MODEL": model,
            "HTTPS_PROXY": "http://127.0.0.1:9",  # no model hub from here, wherever the test runs
            "https_proxy": "http://127.0.0.1:9",
        }

    def __enter__(self) -> "Installation":
        try:
            self.manage("migrate", "--verbosity", "0")
            self.start("web", "manage.py", "serve", env=self.controller_env)
            self.start("celery", *CELERY.split(), env=self.controller_env)
            self.start_worker()
            wait_for(lambda: self.status().get("connected"), 60, "the controller sees its worker")
            self.sign_in()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, name: str, *argv: str, env: dict[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *argv],
                cwd=REPOSITORY,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_worker(self) -> None:
        self.start("worker", "-m", "gpu_worker", env=self.worker_env)
        health = f"http://127.0.0.1:{self.worker_port}/health"
        wait_for(lambda: answers(health), 30, "the worker answers /health")

    def kill_worker(self) -> None:
        """As a lost machine: at once, without a last word."""
        process = self.processes.pop("worker")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.browser.close()
        self.proxy.close()

    def manage(self, *argv: str) -> str:
        return manage(self.controller_env, *argv)

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    # As a person in a browser would ------------------------------------------------------------------

    def sign_in(self) -> None:
        wait_for(lambda: answers(f"{self.url}/accounts/login/"), 30, "the web process answers")
        link = re.sub(r"^http://[^/]+", self.url, self.manage("sign_in_link").strip())
        page = self.browser.get(link, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text[:500]
        done = self.browser.post(link, data={"csrfmiddlewaretoken": token[1]}, timeout=30)
        assert done.status_code == 200
        assert self.browser.cookies.get("sessionid")

    def post(self, path: str, **content: Any) -> Any:
        headers = {"X-CSRFToken": self.browser.cookies.get("csrftoken") or ""}
        response = self.browser.post(self.url + path, headers=headers, timeout=30, **content)
        assert response.ok, f"{path}: {response.status_code} {response.text[:500]}"
        return response.json() if "json" in response.headers["Content-Type"] else response

    def get(self, path: str) -> Any:
        response = self.browser.get(self.url + path, timeout=30)
        assert response.ok, f"{path}: {response.status_code} {response.text[:500]}"
        return response.json() if "json" in response.headers["Content-Type"] else response.text

    def new_session(self, name: str = "Contract") -> str:
        token = self.browser.cookies.get("csrftoken") or ""
        page = self.browser.post(
            f"{self.url}/", data={"name": name, "csrfmiddlewaretoken": token}, timeout=30
        )
        return page.url.rstrip("/").rsplit("/", 1)[1]

    def upload(self, session: str, files: dict[str, bytes]) -> dict[str, Any]:
        parts = [("files", (name, content)) for name, content in files.items()]
        answer: dict[str, Any] = self.post(f"/api/sessions/{session}/uploads", files=parts)
        return answer

    def start_job(self, session: str, uploads: list[dict[str, Any]], model: str = "tiny.en") -> str:
        order = {"uploadIds": [row["id"] for row in uploads], "model": model}
        return str(self.post(f"/api/sessions/{session}/jobs", json=order)["job"]["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.get(f"/api/jobs/{job_id}")["job"]
        return job

    def wait_job(self, job_id: str, seconds: float) -> dict[str, Any]:
        """Wait until no file of the job can be canceled any more: all have ended."""
        answer: dict[str, Any] = wait_for(
            lambda: (job := self.job(job_id)) and not job["canCancel"] and job, seconds, "the job ends"
        )
        return answer

    def status(self) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = requests.get(f"{self.url}/api/remote-worker/status", timeout=5).json()
        except requests.RequestException:
            return {}
        return answer


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False
