"""Secrets at rest."""

from jobs.encryption import SecretCipher


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    mine, other = SecretCipher(b"mine"), SecretCipher(b"other")
    sealed = mine.encrypt("a secret")
    assert "a secret" not in sealed
    assert (mine.decrypt(sealed), other.decrypt(sealed), mine.decrypt("")) == ("a secret", "", "")
