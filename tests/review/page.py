"""The review page as the server sees it: sends edits, keeps what comes back."""

import json
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from jobs.models import Session
from review.models import Transcript

SENTENCES = ("So the mill closed early", "Really in the spring", "Yes it was cold")


def interview(count: int) -> dict[str, Any]:
    """A worker's document: two speakers take turns of two segments, every third is flagged."""
    segments = []
    for number in range(count):
        said = SENTENCES[number % 3].split()
        start = number * 3.0
        words = [
            {"word": f" {word}", "start": start + 0.5 * n, "end": start + 0.5 * n + 0.5, "probability": 0.9}
            for n, word in enumerate(said)
        ]
        segment = {
            "start": start,
            "end": start + 0.5 * len(said),
            "text": " " + " ".join(said),
            "words": words,
            "speaker": f"SPEAKER_0{number // 2 % 2}",
        }
        if number % 3 == 1:
            segment |= {"flags": ["low_confidence", "overlap"], "flag_scores": {"low_confidence": 0.6}}
        segments.append(segment)
    return {"language": "en", "duration": max(60.0, count * 3.0), "segments": segments, "model": "base"}


class Page:
    """One tab of one person."""

    def __init__(self, browser: Client, transcript: Transcript, owner: User | None = None) -> None:
        self.browser = browser
        self.transcript = transcript
        self.owner = owner
        self.client = str(uuid.uuid4())
        self.base = 0

    def url(self, rest: str = "") -> str:
        return f"/api/transcripts/{self.transcript.pk}{rest}"

    def get(self, rest: str = "") -> Any:
        self.become_owner()
        response = self.browser.get(self.url(rest))
        assert response.status_code == 200, response.content
        return response.json()

    def post(self, rest: str, body: Any) -> Any:
        self.become_owner()
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.browser.post(self.url(rest), content, content_type="application/json")

    def become_owner(self) -> None:
        if self.owner:
            Session.objects.filter(pk=self.transcript.job_input.job.session_id).update(owner=self.owner)

    def keys(self) -> list[str]:
        return [row["key"] for row in self.get()["segments"]]

    def body(self, *edits: dict[str, Any], base: int | None = None) -> dict[str, Any]:
        return {
            "baseVersion": self.base if base is None else base,
            "client": self.client,
            "edits": [{"id": str(uuid.uuid4()), **edit} for edit in edits],
        }

    def send(self, *edits: dict[str, Any], base: int | None = None) -> Any:
        """Send a batch; the answer with its status."""
        return self.post("/edits", self.body(*edits, base=base))

    def edit(self, kind: str, **fields: Any) -> Any:
        """Send one edit that is right; what was answered."""
        named = {name.rstrip("_"): value for name, value in fields.items()}
        response = self.send({"kind": kind, **named})
        assert response.status_code == 200, response.content
        answer = response.json()
        self.base = answer["version"]
        return answer
