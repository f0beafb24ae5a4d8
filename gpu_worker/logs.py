"""The worker's log: JSON lines on stderr, with the ids of the job that they belong to.

Callers hand over events and plain fields, never a token, a URL, a file name or transcript text.
"""

from __future__ import annotations

import logging
import sys

from gpu_worker.shared.json_logs import JsonFormatter

_logger = logging.getLogger("gpu_worker")


def configure() -> None:
    """Send everything that the process logs to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(exception_texts=False))
    logging.raiseExceptions = False  # else a line that cannot be written is printed with its values
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # urllib3 writes request paths, and with them signatures, at DEBUG and in its retry warnings.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def log(event: str, **fields: object) -> None:
    """Write one event; fields without a value are left out."""
    _logger.info(event, extra={k: v for k, v in fields.items() if v is not None})


def failed(event: str, **fields: object) -> None:
    """Write an error event with the traceback of the exception being handled."""
    _logger.error(event, exc_info=True, extra=fields)
