"""Celery messages as files in DATA_DIR, for installations without Redis: kombu's filesystem transport, made safe.

kombu opens a message under its final name and then writes it; a reader in between gets nothing, which crashes
the whole Celery process (observed after 85 s of ticks). Here, a message is written completely and then renamed,
and one that still cannot be read is dropped, since the next tick repeats it.
"""

import logging
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic_ns
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Writes messages atomically and skips unreadable ones."""

    # kombu's own two parents disagree on the second name
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        draft = folder / f"{uuid.uuid4().hex}.draft"
        draft.write_text(dumps(payload))
        draft.replace(folder / f"{monotonic_ns()}_{uuid.uuid4()}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError:
            log.warning("unreadable message dropped", extra={"queue": queue})
            raise Empty from None


class Transport(filesystem.Transport):
    """`folder://`: the same folders and options as kombu's `filesystem://`."""

    Channel = Channel


def register() -> None:
    """Register the transport for broker URLs with `folder://`."""
    TRANSPORT_ALIASES["folder"] = "bulktranscribe.runtime.broker:Transport"
