"""HTTP requests to the controller: user agent, no redirects, increasing delays."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import requests

from gpu_worker.shared.protocol import WORKER_AGENT
from gpu_worker.timeouts import FIRST_WAIT, LONGEST_WAIT


def open_session() -> requests.Session:
    """Return a session that takes neither proxies nor .netrc from the environment: both would send our
    token or a signed URL somewhere else. A private certificate authority is still respected."""
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.headers["User-Agent"] = WORKER_AGENT
    return session


def growing_waits() -> Iterator[float]:
    """Yield seconds to wait between attempts: doubling up to LONGEST_WAIT, each 50-100 % of that by chance,
    so that many workers do not return to a controller at the same moment."""
    wait = FIRST_WAIT
    while True:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        wait = min(LONGEST_WAIT, wait * 2)
