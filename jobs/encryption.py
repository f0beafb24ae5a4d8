"""Encryption of stored secrets with a key derived from SECRET_KEY; fallback keys still decrypt old ones."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretCipher:
    """Encrypts text for the database; a secret encrypted for one purpose cannot be decrypted for another."""

    def __init__(self, purpose: bytes) -> None:
        self._purpose = purpose

    def encrypt(self, secret: str) -> str:
        """Return the encrypted secret."""
        return self._fernet().encrypt(secret.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        """Return the secret, or an empty string if its SECRET_KEY is no longer known."""
        if not sealed:
            return ""
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken:
            return ""

    def _fernet(self) -> MultiFernet:
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return MultiFernet([Fernet(self._derived(key)) for key in keys])

    def _derived(self, secret: str) -> bytes:
        return base64.urlsafe_b64encode(hmac.digest(secret.encode(), self._purpose, hashlib.sha256))
