"""How quickly the pages and endpoints answer, measured on the real processes. `make bench` runs it.

Everything is real: `manage.py up` started again and again, then web, Celery and worker on a DATA_DIR and
ports of their own, a session of 38 files, and a job that `base` is busy with while the worker is polled.
Prints a table; it judges nothing.
"""

import argparse
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from jobs.models import Job, Session, Upload

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "bulktranscribe" / "demo" / "recording.ogg"
FOREIGN = (
    "DATABASE_URL",
    "REDIS_URL",
    "REMOTE_WORKER_URL",
    "REMOTE_WORKER_MODE",
    "CONTROLLER_BASE_URL",
    "DEBUG",
)
FILES = 38
LONG_SECONDS = 600  # of audio: `base` must not get through it while the worker is polled
PATIENCE_SECONDS = 180.0
POLL_PAUSE = 0.05


@dataclass(frozen=True)
class Row:
    """One line of the table; `seconds` are the single measurements."""

    name: str
    seconds: list[float]
    target_ms: float | None = None

    def text(self) -> str:
        cells = [statistics.median(self.seconds), ninety_fifth(self.seconds), max(self.seconds)]
        target = f"≤ {self.target_ms:g}" if self.target_ms else ""
        return (
            f"{self.name:54} {len(self.seconds):5} "
            + "".join(f"{1000 * s:9.1f}" for s in cells)
            + f" {target:>9}"
        )


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="bulktranscribe-bench-") as folder:
        prepare_environment(Path(folder))
        before = noise()
        rows = measure(Path(folder), arguments)
        print_table([*rows, before, noise("the same, at the end")])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="measurements of each endpoint")
    parser.add_argument("--starts", type=int, default=5, help="warm starts")
    return parser.parse_args()


def prepare_environment(folder: Path) -> None:
    """An installation of its own: nothing of the person's `.env` but what they have for models."""
    os.environ |= dict.fromkeys(FOREIGN, "")
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        web, worker = first.getsockname()[1], second.getsockname()[1]
    os.environ |= {
        "DATA_DIR": str(folder / "data"),
        "WEB_PORT": str(web),
        "LOCAL_WORKER_URL": f"http://127.0.0.1:{worker}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "LOCAL_WORKER_TOKEN": secrets.token_urlsafe(32),
        "DJANGO_SETTINGS_MODULE": "bulktranscribe.settings",
    }
    sys.path.insert(0, str(ROOT))


def measure(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    print("Starting and ending the whole program …", flush=True)
    start_once()  # makes the database; with an empty cache it also converts the weights
    starts = [start_once() for _ in range(arguments.starts)]
    with running_stack() as session:
        print(f"Asking for the page of a session with {FILES} files …", flush=True)
        browser, base = sign_in()
        rows = measure_pages(browser, base, session, arguments.requests)
        print("Polling the worker while it transcribes …", flush=True)
        rows += measure_busy(browser, base, session, folder, arguments.requests)
    ready, loaded = ([*column] for column in zip(*starts, strict=True))
    return [
        Row("manage.py up, warm, until “Ready”", ready, 8000),
        Row("manage.py up, warm, until the speech model is loaded", loaded),
        *rows,
    ]


# Starts ------------------------------------------------------------------------------------------


def start_once() -> tuple[float, float]:
    """Run `manage.py up`, end it, and return the seconds until pages answer and until a model is loaded."""
    started = time.monotonic()
    command = [sys.executable, str(ROOT / "manage.py"), "up"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        ready = seconds_until(process, "Ready", started)
        loaded = seconds_until(process, "The worker is ready", started)
        process.send_signal(signal.SIGINT)
        process.communicate()
    return ready, loaded


def seconds_until(process: "subprocess.Popen[str]", beginning: str, started: float) -> float:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return time.monotonic() - started
    sys.exit("manage.py up ended by itself")


@contextmanager
def running_stack() -> "Iterator[Session]":
    """Web, Celery and worker, the worker with its model loaded; yields a session as people have it."""
    import django

    django.setup()
    from bulktranscribe.runtime.supervisor import Stack
    from remoteworker.models import Worker

    with Stack() as stack:
        stack.wait_ready()
        wait_for("the worker's models", lambda: any(w.models_at_hand for w in Worker.objects.all()))
        yield make_session()


def make_session() -> "Session":
    """38 files; three jobs that ended: one complete, one with failures, one canceled; two files are new."""
    from bulktranscribe.sign_in import make_owner
    from jobs.models import Session
    from jobs.statuses import InputStatus as S
    from jobs.uploads import ingest

    session = Session.objects.create(owner=make_owner(), name="Valley interviews")
    files = [ingest.receive_path(session, RECORDING) for _ in range(FILES)]
    make_job(session, 1, files[:20], [S.COMPLETE] * 20)
    make_job(session, 2, files[20:32], [S.COMPLETE] * 9 + [S.FAILED] * 3)
    make_job(session, 3, files[32:36], [S.CANCELED] * 4)
    return session


def make_job(session: "Session", number: int, files: "list[Upload]", statuses: Sequence[str]) -> None:
    """Rows as a job leaves them behind."""
    from jobs.models import Job, JobInput

    job = Job.objects.create(session=session, number=number, model="base", created_by=session.owner)
    for position, (file, status) in enumerate(zip(files, statuses, strict=True)):
        failed = {"error_code": "INPUT_UNDECODABLE", "error_message": "The file has no audio track."}
        JobInput.objects.create(
            job=job,
            upload=file,
            position=position,
            status=status,
            attempt_count=1,
            worker_name="local",
            audio_duration=49.7,
            **(failed if status == "failed" else {}),
        )
    job.refresh_status()


# Pages -------------------------------------------------------------------------------------------


def sign_in() -> tuple[requests.Session, str]:
    """A browser that used the link `manage.py up` prints."""
    from django.conf import settings

    from bulktranscribe.sign_in import make_owner, sign_in_link

    browser, link = requests.Session(), sign_in_link(make_owner())
    browser.get(link).raise_for_status()
    answer = browser.post(link, {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}, allow_redirects=False)
    assert answer.status_code == 302, answer.status_code
    return browser, settings.LOCAL_CONTROLLER_URL


def measure_pages(browser: requests.Session, base: str, session: "Session", count: int) -> list[Row]:
    page, state = f"{base}/sessions/{session.pk}/", f"{base}/api/sessions/{session.pk}/state"
    etag = browser.get(state).headers["ETag"]
    return [
        Row("session page, idle", timed(lambda: get(browser, page), count), 50),
        Row("state of that session, whole", timed(lambda: get(browser, state), count)),
        Row("state, unchanged (304)", timed(lambda: get(browser, state, etag), count)),
        Row("list of sessions", timed(lambda: get(browser, f"{base}/"), count)),
    ]


def get(browser: requests.Session, url: str, etag: str = "") -> None:
    answer = browser.get(url, headers={"If-None-Match": etag} if etag else {}, allow_redirects=False)
    assert answer.status_code == (304 if etag else 200), f"{url}: {answer.status_code}"


# The worker --------------------------------------------------------------------------------------


def measure_busy(
    browser: requests.Session, base: str, session: "Session", folder: Path, count: int
) -> list[Row]:
    """Polls and pages while the engine has both feet in a recording."""
    from jobs import batches
    from remoteworker.models import Attempt
    from remoteworker.workers.registry import client_of

    job = start_long_job(session, folder)
    attempt = Attempt.objects.select_related("worker").get(job_input__job=job)
    worker, worker_job_id = attempt.worker, attempt.worker_job_id

    def poll() -> None:
        with client_of(worker) as client:  # a connection a poll, as Celery's task has it
            assert client.job_status(worker_job_id)["stage"] == "transcribing", "the recording is too short"

    rows = [
        Row("poll GET /v1/jobs/<id> of the busy worker", timed(poll, count, POLL_PAUSE), 20),
        Row(
            "session page while it transcribes",
            timed(lambda: get(browser, f"{base}/sessions/{session.pk}/"), count),
        ),
    ]
    poll()  # it was at it all the time
    batches.cancel_job(job, "benchmark")
    return rows


def start_long_job(session: "Session", folder: Path) -> "Job":
    """Queue the shipped recording, many times in a row, and return once it is being transcribed."""
    from gpu_worker.shared.protocol import Options
    from jobs import batches
    from jobs.uploads import ingest

    upload = ingest.receive_path(session, long_recording(folder))
    job = batches.create_job(
        session, [upload], Options(model="base"), use_remote=False, created_by=session.owner
    )
    wait_for("the first words", lambda: (job.inputs.get().audio_seconds or 0) > 0)
    return job


def long_recording(folder: Path) -> Path:
    from gpu_worker.inputs import audio
    from gpu_worker.inputs.audio import SAMPLE_RATE

    raw, target = folder / "recording.f32", folder / "long.wav"
    count = audio.decode(RECORDING, raw, lambda: None)
    import numpy as np

    pcm = (np.fromfile(raw, np.float32) * 32767).astype("<i2").tobytes()
    with wave.open(str(target), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        for _ in range(LONG_SECONDS * SAMPLE_RATE // count + 1):
            out.writeframes(pcm)
    return target


# Measuring ---------------------------------------------------------------------------------------


def timed(call: Callable[[], object], count: int, pause: float = 0.0) -> list[float]:
    """Return the seconds of `count` calls, after a few that warm up."""
    for _ in range(5):
        call()
    found = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        found.append(time.perf_counter() - started)
        time.sleep(pause)
    return found


def noise(name: str = "machine noise: the same sum in Python, every time") -> Row:
    """What an undisturbed machine does in one and the same time; the spread is other people's work."""
    return Row(name, timed(lambda: sum(range(200_000)), 200))


def wait_for(what: str, is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there():
        if time.monotonic() > deadline:
            sys.exit(f"Waited {PATIENCE_SECONDS:.0f} s for {what}.")
        time.sleep(0.1)


def ninety_fifth(seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]


def print_table(rows: list[Row]) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{os.cpu_count()} cores, load average {load}. Milliseconds:\n")
    print(f"{'':54} {'times':>5} {'median':>8} {'95 %':>8} {'worst':>8} {'wanted':>9}")
    for row in rows:
        print(row.text())


if __name__ == "__main__":
    main()
