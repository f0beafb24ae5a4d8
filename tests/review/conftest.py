"""Transcripts to work on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import JobInput, Result, ResultFile
from review.models import Transcript
from review.storage import importer
from tests.review.page import Page, interview

Made = Callable[[dict[str, Any]], Transcript]


@pytest.fixture
def transcript_of(job_input: JobInput) -> Callable[[dict[str, Any]], Transcript]:
    """Commit a worker's document as the result of `job_input`."""

    def make(content: dict[str, Any]) -> Transcript:
        result = Result.objects.create(job_input=job_input, attempt_number=1)
        file = ResultFile(result=result, output_type="json", path=f"{job_input.pk.hex}/json", size_bytes=0)
        file.absolute_path.parent.mkdir(parents=True, exist_ok=True)
        file.absolute_path.write_text(json.dumps(content))
        file.save()
        JobInput.objects.filter(pk=job_input.pk).update(status="complete")
        return importer.create_transcript(result)

    return make


@pytest.fixture
def talk(transcript_of: Made) -> Transcript:
    """Six segments of two speakers, two of them flagged."""
    return transcript_of(interview(6))


@pytest.fixture
def page(browser: Client, talk: Transcript, person: User) -> Page:
    """The review page of `person`."""
    return Page(browser, talk, owner=person)


@pytest.fixture
def other_page(browser: Client, talk: Transcript, person: User) -> Page:
    """The same person in another tab."""
    return Page(browser, talk, owner=person)


@pytest.fixture
def colleague(talk: Transcript, stranger: User) -> Page:
    """Another person in the same session: the session is theirs while they use it."""
    client = Client()
    client.force_login(stranger)
    return Page(client, talk, owner=stranger)
