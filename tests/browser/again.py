"""A transcript once more, without hearing the recording again; run inside an installation by `manage.py shell`."""

import json
from pathlib import Path

from django.db import transaction

from benchmarks.long_transcript import commit_document
from jobs.models import JobInput, Session
from jobs.uploads import ingest


def transcribe_again(pk: str, recording: Path, name: str, times: int) -> None:
    """Give each of so many new sessions what the worker made of `recording`, under this name; print their keys."""
    heard = JobInput.objects.select_related("job__session__owner", "result").get(pk=pk)
    content = json.loads(heard.result.files.get(output_type="json").absolute_path.read_bytes())
    for _ in range(times):
        with transaction.atomic():
            session = Session.objects.create(owner=heard.job.session.owner, name="Valley interviews")
            upload = ingest.receive_path(session, recording, name)
            print("made", commit_document(upload, content).pk)
