"""Responses of the worker."""

from __future__ import annotations

import json
from collections.abc import Iterable
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


def error(
    status: int, code: str, message: str, headers: Iterable[tuple[str, str]] = (), **more: object
) -> Reply:
    """An error with its code and a sentence; `more` stands beside it."""
    return Reply(status, {"error": {"code": code, "message": message}, **more}, list(headers))


def not_found(what: str) -> Reply:
    """There is no such thing: the one error that is a text, as the protocol has always had it."""
    return Reply(404, {"error": what})


def not_allowed(methods: str) -> Reply:
    """Another method belongs here."""
    message = f"This address takes {methods}."
    return error(405, "METHOD_NOT_ALLOWED", message, [("Allow", methods)])


NO_JOB = not_found("Job not found")
