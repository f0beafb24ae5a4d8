"""How long the engine waits for files: 20 short ones from a slow controller, as 20 jobs and as one.

`python -m benchmarks.overlap [--megabytes-a-second 2] [--files 20] [--seconds 30]`. A real worker with the
rehearsal engine, whose speed is set so that a file takes as long in the engine as on its way. Prints the
share of the time between the engine's first and last work in which it had none. It judges nothing.
"""

import argparse
import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

RATE = 16_000
BLOCK = 64 * 1024
PATIENCE_SECONDS = 600.0


class SlowController(ThreadingHTTPServer):
    """Serves one recording under every name, all requests together at the speed of one line."""

    def __init__(self, content: bytes, bytes_a_second: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.bytes_a_second = bytes_a_second
        self.line = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def job(self, numbers: range) -> dict[str, Any]:
        """A job over files of these numbers."""
        inputs = [
            {
                "inputId": str(n),
                "filename": f"{n}.wav",
                "sizeBytes": len(self.content),
                "downloadUrl": f"{self.url}/{n}",
            }
            for n in numbers
        ]
        return {
            "controllerJobId": secrets.token_hex(4),
            "inputs": inputs,
            "options": {},
            "callbackUrl": f"{self.url}/complete",
            "outputsUploadUrl": f"{self.url}/outputs",
        }


class Handler(BaseHTTPRequestHandler):
    server: SlowController

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        content = self.server.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        for first in range(0, len(content), BLOCK):
            piece = content[first : first + BLOCK]
            with self.server.line:
                time.sleep(len(piece) / self.server.bytes_a_second)
            self.wfile.write(piece)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


class Bench:
    """One worker process, its log, and the token that opens it."""

    def __init__(self, folder: Path, speed: float) -> None:
        self.log = folder / "worker.log"
        self.token = secrets.token_hex(8)
        environ = {
            **os.environ,
            "WORKER_TOKEN": self.token,
            "WORKER_HOST": "127.0.0.1",
            "WORKER_PORT": "0",
            "WORKER_TMP_DIR": str(folder / "tmp"),
            "WORKER_ENGINE": "rehearsal",
            "WORKER_REHEARSAL_SPEED": str(speed),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "gpu_worker"], env=environ, stderr=log)
        self.url = f"http://127.0.0.1:{self.wait_event('worker_started')['port']}"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        wait(lambda: self.session.get(f"{self.url}/v1/ping", timeout=5).json()["models"])

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def wait_event(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = wait(lambda: next((e for e in self.events() if e["event"] == name), None))
        return found

    def run(self, bodies: list[dict[str, Any]]) -> None:
        """Hand the jobs over as soon as there is a place, and wait for all of them."""
        ids = []
        for body in bodies:
            reply = wait(lambda body=body: self._offer(body))
            ids.append(reply.json()["workerJobId"])
        for job_id in ids:
            wait(lambda job_id=job_id: self._status(job_id) == "complete")

    def _offer(self, body: dict[str, Any]) -> requests.Response | None:
        reply = self.session.post(f"{self.url}/v1/jobs", json=body, timeout=10)
        return None if reply.status_code == 429 else reply

    def _status(self, job_id: str) -> str:
        return str(self.session.get(f"{self.url}/v1/jobs/{job_id}", timeout=10).json()["status"])

    def busy_spans(self) -> list[tuple[float, float]]:
        """When the engine process had a task, by the log: from its end back by its length."""
        tasks = [event for event in self.events() if event["event"] == "engine_task"]
        return sorted((moment(task) - task["seconds"], moment(task)) for task in tasks)


def moment(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()


def idle_share(spans: list[tuple[float, float]]) -> float:
    """The share between the first start and the last end that no span covers."""
    begin, reached, idle = spans[0][0], spans[0][0], 0.0
    for start, end in spans:
        idle += max(0.0, start - reached)
        reached = max(reached, end)
    return idle / (reached - begin)


def wait(look: Any) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit("It takes too long.")


def recording(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(secrets.token_bytes(int(seconds * RATE) * 2))
    return out.getvalue()


@contextmanager
def worker(speed: float) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), speed)
        try:
            yield bench
        finally:
            bench.process.terminate()
            bench.process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes-a-second", type=float, default=2.0)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0, help="of audio in each file")
    parser.add_argument("--slack", type=float, default=1.3, help="engine time by download time of a file")
    arguments = parser.parse_args()
    content = recording(arguments.seconds)
    download = len(content) / (arguments.megabytes_a_second * 1e6)
    controller = SlowController(content, arguments.megabytes_a_second * 1e6)
    everything = range(arguments.files)
    ways = {
        f"{arguments.files} jobs of one file": [controller.job(range(n, n + 1)) for n in everything],
        f"one job of {arguments.files} files": [controller.job(everything)],
    }
    for name, bodies in ways.items():
        with worker(arguments.seconds / (download * arguments.slack)) as bench:
            started = time.monotonic()
            bench.run(bodies)
            took = time.monotonic() - started
            print(f"{name:24} {took:6.1f} s  engine idle {idle_share(bench.busy_spans()):.1%}", flush=True)


if __name__ == "__main__":
    main()
