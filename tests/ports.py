"""Ports for servers that a test starts, stops, and starts again."""

import random
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_FIRST = 32768  # Linux's; other systems begin later
HOW_MANY = 12_000
_given: set[int] = set()


def free_port() -> int:
    """Return a port that nobody listens on, and that no outgoing connection can take before the server does.

    The system numbers connections from a range of its own; a port from there may be gone a moment later, or while
    a killed server is away. No port is returned twice to one process.
    """
    first = int(RANGE.read_text().split()[0]) if RANGE.exists() else USUAL_FIRST
    chance = random.SystemRandom()  # two processes that test at once, and seeds, choose different ones
    while True:
        port = chance.randrange(first - HOW_MANY, first)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
