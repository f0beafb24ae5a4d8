"""How the pages bear 5,000 jobs with 50,000 files in one session: `python -m benchmarks.large_session`. Judges nothing.

A web process of its own (SQLite, or DATABASE_URL's server with --pair postgres) answers; the rows are made up, the
requests are real.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests

from benchmarks.fleet import PAIRS, prepare_django, servers, show
from tests.contract.installation import REPOSITORY, SECRET, clean_environment, wait_for
from tests.ports import free_port

JOBS = 5000
FILES_OF_A_JOB = 10
WAITING_JOBS = 100
AT_ONCE = 5000  # rows to an INSERT
PASSWORD = "benchmark of a large session"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pair", choices=[*PAIRS, "both"], default="both")
    parser.add_argument("--requests", type=int, default=60, help="of each page")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        fill()
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for pair in PAIRS if options.pair == "both" else (options.pair,):
        with servers(pair) as (folder, variables), installation(folder, variables) as (base, session):
            measure(pair, base, session, options.requests)


@contextmanager
def installation(folder: Path, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """A filled database and a web process; yields its address and the large session."""
    port = free_port()
    own = {
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": SECRET,
        "LOG_LEVEL": "ERROR",
        "WEB_PORT": str(port),
    }
    env = {**clean_environment(), **own, "ALLOWED_HOSTS": "127.0.0.1", **variables}
    argv = [sys.executable, "-m", "benchmarks.large_session", "--inside"]
    filled = subprocess.run(argv, cwd=REPOSITORY, env=env, check=True, stdout=subprocess.PIPE, text=True)
    base = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=REPOSITORY, env=env) as web:
        try:
            wait_for(lambda: answers(base), 60, "the web process answers")
            yield base, filled.stdout.split()[-1]
        finally:
            web.terminate()


def answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/healthz", timeout=5).status_code in (200, 503)
    except requests.ConnectionError:
        return False


def measure(pair: str, base: str, session: str, count: int) -> None:
    browser = requests.Session()
    browser.trust_env = False
    sign_in(browser, base)
    state = f"{base}/api/sessions/{session}/state"
    pages = {
        "list of sessions": f"{base}/",
        "session page": f"{base}/sessions/{session}/",
        "session page, failed files": f"{base}/sessions/{session}/?show=failed",
        "session page, to review": f"{base}/sessions/{session}/?show=to-review",
        "session page, files named 49": f"{base}/sessions/{session}/?q=talk+49",
        "session page, last page": f"{base}/sessions/{session}/?page=500",
        "state": state,
        "admin: jobs": f"{base}/admin/jobs/job/",
        "admin: files": f"{base}/admin/jobs/jobinput/",
        "admin: failed files": f"{base}/admin/jobs/jobinput/?status__exact=failed",
        "admin: uploads": f"{base}/admin/jobs/upload/",
        "admin: attempts": f"{base}/admin/remoteworker/attempt/",
    }
    for name, url in pages.items():
        show(f"{pair}: {name}", timed(partial(get, browser, url), count))
    etag = browser.get(state).headers["ETag"]
    show(f"{pair}: state, unchanged (304)", timed(lambda: get(browser, state, etag), count))


def get(browser: requests.Session, url: str, etag: str = "") -> None:
    answer = browser.get(url, headers={"If-None-Match": etag} if etag else {}, allow_redirects=False)
    assert answer.status_code == (304 if etag else 200), f"{url}: {answer.status_code}"


def timed(call: Callable[[], None], count: int) -> list[float]:
    call()
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


def sign_in(browser: requests.Session, base: str) -> None:
    page = browser.get(f"{base}/accounts/login/")
    page.raise_for_status()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    form = {"username": "owner", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    answer = browser.post(page.url, form, headers={"Referer": page.url}, allow_redirects=False)
    assert answer.status_code == 302, answer.status_code


# Inside: the rows --------------------------------------------------------------------------------


def fill(jobs: int = JOBS, files_of_a_job: int = FILES_OF_A_JOB, others: int = 50) -> None:
    """Make the large session and others beside it; prints its id."""
    prepare_django()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from jobs.models import Session
    from remoteworker.models import Worker

    call_command("migrate", verbosity=0)
    owner = User.objects.create_superuser("owner", "owner@example.org", PASSWORD)
    Worker.objects.create(name="box", kind="local", url="http://127.0.0.1:9", price_per_hour="1.25")
    session = Session.objects.create(owner=owner, name=f"{jobs * files_of_a_job} files")
    fill_session(session, jobs, files_of_a_job)
    for number in range(others):
        fill_session(Session.objects.create(owner=owner, name=f"Session {number}"), 2, 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as a server does by itself a minute after so many rows came
    print(session.pk)


def fill_session(session: Any, jobs: int, files: int) -> None:
    """Rows as jobs leave them behind: most complete, some failed, the last hundred jobs waiting."""
    from jobs.models import Job, JobInput, Upload

    count = jobs * files
    uploads = [
        Upload(
            session=session,
            name=f"talk {n:05}.mp3",
            folder=f"Tape {n // 100}",
            size_bytes=10**7,
            is_used=True,
            sha256=f"{n:064}",
        )
        for n in range(count)
    ]
    save(Upload, uploads)
    rows = [Job(session=session, number=n + 1, model="base", status=status_of(n, jobs)) for n in range(jobs)]
    save(Job, rows)
    inputs = [
        JobInput(job=rows[n // files], upload=uploads[n], position=n % files, **look_of(n, n // files, jobs))
        for n in range(count)
    ]
    save(JobInput, inputs)
    save_history(inputs)


def status_of(job: int, jobs: int) -> str:
    if job >= jobs - WAITING_JOBS and jobs > WAITING_JOBS:
        return "queued"
    return "complete_with_errors" if job % 10 == 0 else "complete"


def look_of(n: int, job: int, jobs: int) -> dict[str, Any]:
    status = status_of(job, jobs)
    if status == "queued":
        return {"status": "queued"}
    usual = {"attempt_count": 1, "worker_name": "box", "audio_duration": 600.0}
    if status == "complete_with_errors" and n % 10 == 3:
        return {**usual, "status": "failed", "error_code": "INPUT_UNDECODABLE", "error_message": "No sound."}
    return {**usual, "status": "complete", "percent": 100.0}


def save_history(inputs: list[Any]) -> None:
    """The attempt, the events and the transcript of everything that ended."""
    from django.utils import timezone

    from jobs.models import JobEvent
    from remoteworker.models import Attempt, Worker
    from review.models import Transcript

    now, worker = timezone.now(), Worker.objects.get(name="box")
    ended = [entry for entry in inputs if entry.status != "queued"]
    times = {"created_at": now, "began_at": now, "ended_at": now + timedelta(minutes=1), "deadline_at": now}
    save(
        Attempt,
        [
            Attempt(id=uuid.uuid4(), job_input=entry, worker=worker, number=1, outcome=entry.status, **times)
            for entry in ended
        ],
    )
    moves = (
        ("claimed", "queued", "dispatching"),
        ("accepted", "dispatching", "running"),
        ("completed", "running", "complete"),
    )
    save(
        JobEvent,
        [
            JobEvent(job=entry.job, job_input=entry, actor="box", event=event, source=source, target=target)
            for entry in ended
            for event, source, target in moves
        ],
    )
    save(
        Transcript,
        [
            Transcript(job_input=entry, doubtful=n % 7, review_status="done" if n % 5 == 0 else "new")
            for n, entry in enumerate(ended)
            if entry.status == "complete"
        ],
    )


def save(model: Any, rows: list[Any]) -> None:
    for first in range(0, len(rows), AT_ONCE):
        model.objects.bulk_create(rows[first : first + AT_ONCE])


if __name__ == "__main__":
    main()
