"""A waitress server that runs beside a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from waitress import wasyncore


@contextmanager
def running(server: Any) -> Iterator[tuple[str, int]]:
    """Let it serve; give its address."""
    loop = threading.Thread(target=server.run)
    loop.start()
    yield "127.0.0.1", int(server.effective_port)
    with suppress(OSError):  # the loop was awake, and has hung up before this could wake it
        server.trigger.pull_trigger(lambda: hang_up(server))
    loop.join()
    server.task_dispatcher.shutdown()


def hang_up(server: Any) -> None:
    """Close every connection and the server's own sockets, which ends its loop."""
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    wasyncore.close_all(server._map)
