"""A program with a token, as tests use it."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from jobs.api import tokens
from jobs.models import Scope, Session

EVERYTHING = list(Scope)


class Program:
    """Sends a token and no cookie; CSRF is checked as for everybody."""

    def __init__(
        self, owner: User, scopes: list[Scope] | None = None, session: Session | None = None, **changes: Any
    ) -> None:
        chosen = EVERYTHING if scopes is None else scopes
        expires_at = changes.get("expires_at")
        self.token, self.secret = tokens.create(owner, "a program", chosen, session, expires_at)
        self.client = Client(enforce_csrf_checks=True)

    def send(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        return self.client.generic(
            method,
            url,
            content or b"",
            content_type=headers.pop("content_type", "application/json"),
            headers={"Authorization": f"Bearer {self.secret}", **headers},
        )
