"""Log lines of both sides: one JSON object a line, with the same keys, without secrets.

`time`, `level`, `logger` and `event` are on every line, then what the caller passed as `extra`; `traceback`, a list of
lines, where an exception is handled.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

# What logging puts on every record; anything else came from the caller's `extra`.
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
UNWANTED = {"request", "args", "data"}  # of Django and Celery
SECRETS = (  # in JSON: a backslash belongs to the quote behind it
    (re.compile(r"(sig=)[^&\s\\\"']+"), r"\1…"),
    (re.compile(r"(Bearer )[^\s\\\"',}]+"), r"\1…"),
    (re.compile(r"\b(bt_)[A-Za-z0-9_-]{20,}"), r"\1…"),
    (re.compile(r"(/sessions/)[0-9a-f-]{36}"), r"\1…"),
    (re.compile(r"(/sign-in/)[^\s\\\"']+"), r"\1…"),
)


class JsonFormatter(logging.Formatter):
    """Redacts signatures, tokens and session ids; without `exception_texts`, all that exceptions say."""

    def __init__(self, *, exception_texts: bool = True) -> None:
        super().__init__()
        self.exception_texts = exception_texts

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        for key, value in vars(record).items():
            if key not in STANDARD and key not in UNWANTED:
                line[key] = value
        if record.exc_info:
            whole = self.exception_texts
            line["traceback"] = (
                self.formatException(record.exc_info).splitlines() if whole else _places(record)
            )
        return redacted(json.dumps(line, default=str, ensure_ascii=False))


def redacted(text: str) -> str:
    """Return the text without signatures, bearer tokens, session ids and sign-in tokens."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _places(record: logging.LogRecord) -> list[str]:
    """Where it failed and the exception's type. Its text may quote a URL or a file name: left out."""
    kind, _, trace = record.exc_info or (None, None, None)
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return [*places, kind.__name__ if kind else ""]
