"""Secrets at rest."""

from jobs.encryption import Vault


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    mine, other = Vault(b"mine"), Vault(b"other")
    sealed = mine.encrypt("a secret")
    assert "a secret" not in sealed
    assert (mine.decrypt(sealed), other.decrypt(sealed), mine.decrypt("")) == ("a secret", "", "")
