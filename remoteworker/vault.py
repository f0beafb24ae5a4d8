"""Worker tokens at rest: encrypted with a key derived from SECRET_KEY (fallback keys still open old ones)."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PURPOSE = b"remoteworker.vault.v1"


def encrypt(token: str) -> str:
    """Return the token sealed for the database."""
    return _fernet().encrypt(token.encode()).decode()


def decrypt(sealed: str) -> str:
    """Return the token, or an empty one where it was sealed with a SECRET_KEY that is no longer known."""
    if not sealed:
        return ""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        return ""


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), PURPOSE, hashlib.sha256))
