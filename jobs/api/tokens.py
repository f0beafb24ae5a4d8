"""API tokens: created once, shown once, recognized by their digest.

A request with a token acts as its owner, with the token attached (`access.token_of`).
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from django.contrib.auth.models import User

from jobs.models import ApiToken, Scope, Session

PREFIX = "bt_"
SHAPE = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
SHOWN = len(PREFIX) + 4
MOST = 100  # of one person


class TooManyTokens(Exception):
    """The user has reached the limit for tokens."""


def create(
    owner: User, name: str, scopes: list[Scope], session: Session | None, expires_at: datetime | None
) -> tuple[ApiToken, str]:
    """Create a token; the second value is its secret, which is not stored. Raises TooManyTokens."""
    if owner.api_tokens.count() >= MOST:
        raise TooManyTokens
    secret = PREFIX + secrets.token_urlsafe(32)  # 256 bits
    made = ApiToken.objects.create(
        owner=owner,
        name=name,
        digest=_digest(secret),
        hint=secret[:SHOWN],
        scopes=[str(scope.value) for scope in scopes],
        session=session,
        expires_at=expires_at,
    )
    return made, secret


def find(secret: str) -> ApiToken | None:
    """Return the valid token with this secret, and record its use."""
    if not SHAPE.fullmatch(secret):
        return None
    digest = _digest(secret)
    token = ApiToken.valid().select_related("owner").filter(digest=digest).first()
    if token is None or not hmac.compare_digest(token.digest, digest):
        return None
    token.note_use()
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
