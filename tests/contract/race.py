"""Run by test_races.py in a process of its own, on the database of its environment: prints what happened as JSON.

A person cancels a job of many files while their worker delivers, or is polled; two deliveries come twice at once. Many
files are begun of which one alone fits. Eight want each lease.
"""

import collections
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

os.environ["DJANGO_SETTINGS_MODULE"] = "bulktranscribe.settings"

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from bulktranscribe.directories import make_directories  # noqa: E402
from gpu_worker.shared.protocol import JobStatus, Options  # noqa: E402
from jobs import batches  # noqa: E402
from jobs.models import Delivery, Job, JobInput, NoticeEvent, Result, Session, Upload  # noqa: E402
from jobs.row_leases import RowLease  # noqa: E402
from remoteworker import clock, tasks  # noqa: E402
from remoteworker.attempts import apply, dispatch  # noqa: E402
from remoteworker.attempts.leases import Observation  # noqa: E402
from remoteworker.models import Attempt, Tick, Worker  # noqa: E402
from tests.steps import claim  # noqa: E402

TOKEN = "race-token-0123456789"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FILES = 30
DELIVERED = 6


def prepare(owner: User, name: str) -> tuple[Job, list[Attempt]]:
    """A job of many files, all at one worker."""
    session = Session.objects.create(owner=owner, name=name)
    uploads = [
        Upload.objects.create(session=session, name=f"{n}.wav", size_bytes=1, sha256="0")
        for n in range(FILES)
    ]
    job = batches.create_job(session, uploads, Options(model="base"), use_remote=False, created_by=owner)
    url = f"http://127.0.0.1:9/{name}"
    worker = Worker(name=name, kind="local", url=url, is_connected=True, capacity=FILES)
    worker.token = TOKEN
    worker.save()
    attempts = claim(worker, FILES)
    for attempt in attempts:
        dispatch.accept(attempt, f"w-{attempt.job_input.position}")
    return job, attempts


def stage(job: Job, attempt: Attempt) -> None:
    fields = {
        "workerJobId": f"w-{attempt.job_input.position}",
        "inputId": str(attempt.job_input_id),
        "outputType": "json",
        "file": SimpleUploadedFile("out.json", b'{"segments": [{"start": 0, "end": 1, "text": "hi"}]}'),
    }
    answer = Client().post(f"/api/jobs/{job.pk}/worker/outputs", fields, headers=HEADERS)
    assert answer.status_code == 200, answer.content


def complete(job: Job, attempt: Attempt) -> Any:
    message = {
        "workerJobId": f"w-{attempt.job_input.position}",
        "controllerJobId": str(job.pk),
        "status": "complete",
        "outputs": [{"inputId": str(attempt.job_input_id), "filename": "x", "type": "json"}],
    }
    url = f"/api/jobs/{job.pk}/worker/complete"
    client = Client(raise_request_exception=False)
    return client.post(url, json.dumps(message), content_type="application/json", headers=HEADERS)


def cancel(owner: User, job: Job) -> Any:
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    return client.post(f"/jobs/{job.pk}/cancel")


def beginning(owner: User, session: Session) -> Callable[[], Any]:
    client = Client(raise_request_exception=False)
    client.force_login(owner)  # writes to the owner's row: before the start, or all would wait for each other
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "900"}
    return lambda: client.post(f"/api/sessions/{session.pk}/incoming", headers=headers)


def cancel_slowly(job: Job) -> Any:
    """As a person's Cancel, all in one transaction, with time for others between two files."""

    def one(entry: JobInput) -> bool:
        time.sleep(0.02)
        return batches.cancel_input(entry, "anna")

    batches._each(list(job.inputs.order_by("position")), one)
    return SimpleNamespace(status_code="done")


def poll(attempts: list[Attempt], moves: bool) -> Any:
    """Rounds of a poller that read these before, last file first; nothing new but, where it `moves`, the percent."""
    time.sleep(0.1)
    for percent in range(1, 6):
        said = {"status": "running", "stage": "queued", "progress": {"percent": percent if moves else 0}}
        seen = Observation(status=cast(JobStatus, said))
        apply.observations([(attempt, seen) for attempt in reversed(attempts)], clock.now())
    return SimpleNamespace(status_code="done")


def poll_beside_cancel(owner: User, name: str, moves: bool) -> dict[str, int]:
    job, attempts = prepare(owner, name)
    for attempt in reversed(attempts):  # rows lie on the disk in another order than Cancel goes through them
        attempt.renew(clock.now())
    return at_once([("cancel", lambda: cancel_slowly(job)), ("poll", lambda: poll(attempts, moves))])


def claim_at_once(owner: User) -> dict[str, dict[str, int]]:
    """Eight who want the same lease, of each kind of lease."""
    Delivery.objects.create(owner=owner, event=NoticeEvent.JOB_ENDED)
    Tick.objects.create(name="assign", at=clock.now())
    found = {}
    for lease in RowLease.EVERY:
        first = lease.model._default_manager.order_by("pk").values("pk")[:1]
        rows = lease.model._default_manager.filter(pk=first.get()["pk"])
        claims = [("claim", lambda lease=lease, rows=rows: SimpleNamespace(status_code=lease.claim(rows)))]
        found[f"{lease.model.__name__}.{lease.column}"] = at_once(claims * 8)
    return found


def at_once(calls: list[tuple[str, Callable[[], Any]]]) -> dict[str, int]:
    """Run the calls in threads that start together; count "name status"."""
    answers: list[str] = []
    barrier = threading.Barrier(len(calls))

    def run(name: str, call: Callable[[], Any]) -> None:
        barrier.wait()
        answers.append(f"{name} {call().status_code}")
        connection.close()

    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return dict(collections.Counter(answers))


def main() -> None:
    logging.disable(logging.CRITICAL)
    tasks.nudge = lambda *args, **kwargs: None  # no broker here
    make_directories()
    call_command("migrate", verbosity=0)
    owner = User.objects.create_superuser("anna")
    polled = {
        name: poll_beside_cancel(owner, name, moves)
        for name, moves in (("progress", True), ("leases", False))
    }
    Job.objects.all().delete()
    job, attempts = prepare(owner, "races")
    twice, last = attempts[0], attempts[-DELIVERED:]
    for attempt in (twice, *last):
        stage(job, attempt)
    doubles = at_once([("complete", lambda: complete(job, twice))] * 4)
    calls = [("complete", lambda attempt=attempt: complete(job, attempt)) for attempt in last]
    mixed = at_once([("cancel", lambda: cancel(owner, job)), *calls])
    settings.USER_QUOTA_GB = 1000 / 1e9
    begun = at_once([("begin", beginning(owner, job.session)) for _ in range(8)])
    statuses = collections.Counter(JobInput.objects.values_list("status", flat=True))
    open_attempts = Attempt.objects.filter(ended_at=None).count()
    said = {
        "polled": polled, "doubles": doubles, "mixed": mixed, "statuses": statuses, "results": Result.objects.count(),
        "open_attempts": open_attempts, "begun": begun, "claimed": claim_at_once(owner),
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
