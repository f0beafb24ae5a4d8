"""Run by test_races.py in a process of its own, on the database of its environment: prints what happened as JSON.

A person cancels a job of many files while their worker delivers; two deliveries come twice at once.
"""

import collections
import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "bulktranscribe.settings"

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from gpu_worker.protocol import Options  # noqa: E402
from jobs import batches  # noqa: E402
from jobs.models import Job, JobInput, Result, Session, Upload  # noqa: E402
from remoteworker import dispatch, tasks  # noqa: E402
from remoteworker.models import Attempt, Worker  # noqa: E402
from tests.steps import claim  # noqa: E402

TOKEN = "race-token-0123456789"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FILES = 30
DELIVERED = 6


def prepare() -> tuple[User, Job, list[Attempt]]:
    owner = User.objects.create_superuser("anna")
    session = Session.objects.create(owner=owner, name="Races")
    uploads = [
        Upload.objects.create(session=session, name=f"{n}.wav", size_bytes=1, sha256="0")
        for n in range(FILES)
    ]
    job = batches.create_job(session, uploads, Options(model="base"), use_remote=False, created_by=owner)
    worker = Worker(name="box", kind="local", url="http://127.0.0.1:9", is_connected=True, capacity=FILES)
    worker.token = TOKEN
    worker.save()
    attempts = claim(worker, FILES)
    for attempt in attempts:
        dispatch.accept(attempt, f"w-{attempt.job_input.position}")
    return owner, job, attempts


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
    call_command("migrate", verbosity=0)
    owner, job, attempts = prepare()
    twice, last = attempts[0], attempts[-DELIVERED:]
    for attempt in (twice, *last):
        stage(job, attempt)
    doubles = at_once([("complete", lambda: complete(job, twice))] * 4)
    calls = [("complete", lambda attempt=attempt: complete(job, attempt)) for attempt in last]
    mixed = at_once([("cancel", lambda: cancel(owner, job)), *calls])
    statuses = collections.Counter(JobInput.objects.values_list("status", flat=True))
    open_attempts = Attempt.objects.filter(ended_at=None).count()
    said = {
        "doubles": doubles, "mixed": mixed, "statuses": statuses, "results": Result.objects.count(),
        "open_attempts": open_attempts,
    }  # fmt: skip
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
