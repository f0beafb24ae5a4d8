"""One answer of the worker, and the answers that recur."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True)
class Reply:
    """Status, body and headers. A mapping becomes JSON; bytes go out as they are, as `content_type`."""

    status: int
    body: dict[str, Any] | bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json"

    @property
    def line(self) -> str:
        """The status line."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode()


NO_JOB = Reply(404, {"error": "Job not found"})


def error(status: int, code: str, message: str) -> Reply:
    """An error with its code and a sentence."""
    return Reply(status, {"error": {"code": code, "message": message}})


def not_allowed(method: str) -> Reply:
    """Another method belongs here."""
    return Reply(405, {"error": "Method not allowed"}, [("Allow", method)])
