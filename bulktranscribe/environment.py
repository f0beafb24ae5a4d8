"""Environment variables: the process, then `.env`, then the secrets of the first start. Empty means unset."""

import math
import os
import secrets
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
SECRETS_FILE = "secrets.env"
SECRET_NAMES = ("SECRET_KEY", "LOCAL_WORKER_TOKEN")
Number = TypeVar("Number", int, float)


def text(name: str, default: str = "") -> str:
    """Return a variable without surrounding whitespace."""
    return os.environ.get(name, "").strip() or default


def words(name: str) -> list[str]:
    """Return the comma-separated parts of a variable."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def flag(name: str) -> bool:
    """Return a variable as a boolean."""
    return text(name).lower() in ("1", "true", "yes", "on", "y", "ok")


def number(name: str, default: Number) -> Number:
    """Return a number, 0 or more, of the default's type. Raises ImproperlyConfigured."""
    given = text(name)
    if not given:
        return default
    try:
        value = type(default)(given)
        if not (math.isfinite(value) and value >= 0):
            raise ValueError
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise ImproperlyConfigured(f"{name} must be {kind} such as {default:g}, not {given!r}.") from None
    return value


def period(name: str, default: float) -> float:
    """Return a period in seconds from a variable or the default, shortened."""
    return shortened(number(name, default))


def shortened(seconds: float) -> float:
    """Return a period divided by PERIODS_DIVISOR, with which tests run faster."""
    return seconds / (number("PERIODS_DIVISOR", 1.0) or 1.0)


def load_environment() -> Path:
    """Load `.env` and `DATA_DIR/secrets.env` into os.environ; existing variables take precedence.

    Return DATA_DIR, the folder with all data of this installation.
    """
    environ.Env.read_env(BASE_DIR / ".env")
    data_dir = Path(os.environ.get("DATA_DIR", "").strip() or BASE_DIR / "data").resolve()
    if (data_dir / SECRETS_FILE).exists():
        for name in SECRET_NAMES:
            if not os.environ.get(name, "").strip():
                os.environ.pop(name, None)  # set but empty: as good as not set
        environ.Env.read_env(data_dir / SECRETS_FILE)
    return data_dir


def make_secrets(data_dir: Path) -> None:
    """Create a SECRET_KEY and a token for the local worker at the first start."""
    path = data_dir / SECRETS_FILE
    if path.exists():
        return
    data_dir.mkdir(parents=True, exist_ok=True)
    text = f"SECRET_KEY={secrets.token_urlsafe(48)}\nLOCAL_WORKER_TOKEN={secrets.token_urlsafe(32)}\n"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)  # of two first starts at once, one writes
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    load_environment()
