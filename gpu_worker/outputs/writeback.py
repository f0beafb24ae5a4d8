"""Sends results to the controller: each output as soon as its file is complete, `complete` at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests

from gpu_worker.logs import log
from gpu_worker.outputs.transport import growing_waits, open_session
from gpu_worker.shared.protocol import OUTPUT_CONTENT_TYPES, CompleteMessage, JobRequest
from gpu_worker.timeouts import LONGEST_WAIT, WRITEBACK_PATIENCE

TIMEOUTS = (5.0, 120.0)  # seconds to connect, and for the controller to store and answer
PASSING = frozenset({408, 425, 429}) | frozenset(range(500, 600))

Verdict = Literal["accepted", "gone", "refused", "unreachable"]


@dataclass(frozen=True)
class Output:
    """One document of one input, as a file on this machine. `filename` is what the controller is told."""

    input_id: str
    type: str
    filename: str
    path: Path


class Writeback:
    """The two POSTs of one job. `pause` waits between attempts and may raise to stop.

    `tokens`: the worker's own, and the one before it while tokens are changed: the controller may not
    know the new one yet.
    """

    def __init__(
        self,
        worker_job_id: str,
        request: JobRequest,
        tokens: Sequence[str],
        pause: Callable[[float], None],
    ) -> None:
        self._worker_job_id = worker_job_id
        self._request = request
        self._tokens = [token for token in tokens if token]
        self._pause = pause

    def send_output(self, output: Output) -> Verdict:
        """Upload one document."""
        fields = {
            "workerJobId": self._worker_job_id,
            "inputId": output.input_id,
            "outputType": output.type,
        }
        if self._request.attempt is not None:  # so that a replaced attempt is never taken for its successor
            fields["attempt"] = str(self._request.attempt)
        content = output.path.read_bytes()
        part = (output.filename, content, OUTPUT_CONTENT_TYPES[output.type])

        def post(session: requests.Session) -> requests.Response:
            return self._post(session, self._request.outputs_upload_url, data=fields, files={"file": part})

        return self._insist(f"upload_{output.type}", len(content), post)

    def send_complete(self, message: CompleteMessage) -> Verdict:
        """Say how the job ended and what was uploaded."""

        def post(session: requests.Session) -> requests.Response:
            return self._post(session, self._request.callback_url, json=message)

        return self._insist("complete", 0, post)

    def _post(self, session: requests.Session, url: str, **body: object) -> requests.Response:
        while True:
            reply = session.request(
                "POST",
                url,
                headers={"Authorization": f"Bearer {self._tokens[0]}"},
                timeout=TIMEOUTS,
                allow_redirects=False,
                **body,  # type: ignore[arg-type]
            )
            if reply.status_code not in (401, 403) or len(self._tokens) == 1:
                return reply
            reply.close()
            self._tokens.pop(0)

    def _insist(self, what: str, size: int, post: Callable[[requests.Session], requests.Response]) -> Verdict:
        """Try until there is an answer that counts, or patience ends."""
        started = time.monotonic()
        with open_session() as session:
            for attempts, wait in enumerate(growing_waits(), start=1):
                verdict, reason, asked = _attempt(session, post)
                log(
                    "writeback",
                    **self._ids(),
                    what=what,
                    verdict=verdict,
                    reason=reason or None,
                    attempts=attempts,
                    bytes=size,
                    seconds=round(time.monotonic() - started, 3),
                )
                if verdict != "unreachable" or time.monotonic() - started > WRITEBACK_PATIENCE:
                    return verdict
                self._pause(max(wait, asked))
        raise AssertionError("growing_waits never ends")

    def _ids(self) -> dict[str, object]:
        request = self._request
        return {
            "workerJobId": self._worker_job_id,
            "controllerJobId": request.controller_job_id,
            "attempt": request.attempt,
        }


def _attempt(
    session: requests.Session, post: Callable[[requests.Session], requests.Response]
) -> tuple[Verdict, str, float]:
    """One POST: the verdict, the reason and the seconds the controller asks us to wait."""
    try:
        with post(session) as reply:
            return _judge(reply), f"HTTP {reply.status_code}", _retry_after(reply)
    except requests.RequestException as broken:
        return "unreachable", type(broken).__name__, 0.0


def _judge(reply: requests.Response) -> Verdict:
    if reply.status_code == 200:
        return "accepted"
    if reply.status_code in (409, 410):
        return "gone"
    is_ours = "json" in reply.headers.get("Content-Type", "")
    # A proxy in front of a controller that is down answers 404 with a page of its own.
    if reply.status_code in PASSING or (reply.status_code == 404 and not is_ours):
        return "unreachable"
    return "refused"


def _retry_after(reply: requests.Response) -> float:
    text = reply.headers.get("Retry-After", "")
    return min(LONGEST_WAIT, float(text)) if text.isdigit() else 0.0
