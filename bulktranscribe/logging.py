"""JSON log lines: one object per line, including the caller's `extra`."""

import json
import logging
import re
from datetime import UTC, datetime

# What logging puts on every record; anything else came from the caller's `extra`.
STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
UNWANTED = {"request", "args", "data"}

SECRETS = (
    (re.compile(r"(sig=)[^&\s\"']+"), r"\1…"),
    (re.compile(r"(Bearer )[^\s\"',}]+"), r"\1…"),
    (re.compile(r"\b(bt_)[A-Za-z0-9_-]{20,}"), r"\1…"),
    (re.compile(r"(/sessions/)[0-9a-f-]{36}"), r"\1…"),
    (re.compile(r"(/sign-in/)[^\s\"']+"), r"\1…"),
)


class JsonFormatter(logging.Formatter):
    """Time, level, logger, event, and fields; signatures, tokens, and session ids are redacted."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            key: value for key, value in vars(record).items() if key not in STANDARD and key not in UNWANTED
        }
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return blot(json.dumps(line, default=str, ensure_ascii=False))


def blot(text: str) -> str:
    """Return the text without signatures, bearer tokens, session ids and sign-in tokens."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text
