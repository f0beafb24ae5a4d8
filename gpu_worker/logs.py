"""Logs: one JSON object a line on stderr, with the ids of the job it belongs to.

Callers hand over events and plain fields, never a token, a URL, a file name or transcript text.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

_logger = logging.getLogger("gpu_worker")


def configure() -> None:
    """Send everything that the process logs to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.raiseExceptions = False  # else a line that cannot be written is printed with its values
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # urllib3 writes request paths, and with them signatures, at DEBUG and in its retry warnings.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def log(event: str, **fields: object) -> None:
    """Write one event; fields without a value are left out."""
    _logger.info(event, extra={"fields": {k: v for k, v in fields.items() if v is not None}})


def failed(event: str, **fields: object) -> None:
    """Write an error event with the traceback of the exception being handled."""
    _logger.error(event, exc_info=True, extra={"fields": fields})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update(fields)
        if record.name != _logger.name:
            line["logger"] = record.name
        if record.exc_info:
            line["traceback"] = _places(record)
        return json.dumps(line, ensure_ascii=False, default=str)


def _places(record: logging.LogRecord) -> list[str]:
    """Where it failed and the exception's type. Its text may quote a URL or a file name: left out."""
    kind, _, trace = record.exc_info or (None, None, None)
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return [*places, kind.__name__ if kind else ""]
