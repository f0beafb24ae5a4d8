"""Signatures: expiring links to inputs, and the keyed hash of a session."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings

HASH_CHARACTERS = 16


def sign_input(job_id: UUID, input_id: UUID, attempt: int, expires: int) -> str:
    """Return the signature of a GET of one input by one attempt, valid until `expires` (Unix seconds)."""
    return _mac(settings.SECRET_KEY, _message(job_id, input_id, attempt, expires))


def is_valid_signature(
    signature: str, job_id: UUID, input_id: UUID, attempt: int, expires: str, now: datetime
) -> bool:
    """Return whether the signature is valid for this request and has not expired. Constant time."""
    expiry = int(expires) if expires.isascii() and expires.isdigit() and len(expires) < 13 else 0
    message = _message(job_id, input_id, attempt, expiry)
    matches = [hmac.compare_digest(_mac(key, message).encode(), signature.encode()) for key in _keys()]
    return any(matches) and now.timestamp() <= expiry


def session_hash(session_id: UUID) -> str:
    """Return the only thing a worker learns about a session: a truncated keyed hash."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"remoteworker.session.v1", hashlib.sha256)
    return hmac.new(key, session_id.bytes, hashlib.sha256).hexdigest()[:HASH_CHARACTERS]


def _keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _message(job_id: UUID, input_id: UUID, attempt: int, expires: int) -> bytes:
    """Encode as a JSON list, so that different requests never have the same message."""
    return json.dumps(["GET", str(job_id), str(input_id), attempt, expires]).encode()


def _mac(secret: str, message: bytes) -> str:
    key = hmac.digest(secret.encode(), b"remoteworker.input-link.v1", hashlib.sha256)
    return hmac.new(key, message, hashlib.sha256).hexdigest()
