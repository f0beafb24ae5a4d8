"""Limits of messages: allowed transports, sizes, and timeouts."""

import ipaddress
from urllib.parse import urlsplit

from gpu_worker.shared.units import MEBIBYTE

MAX_REQUEST_BYTES = MEBIBYTE
MAX_ANSWER_BYTES = 256 * 1024
MAX_OUTPUT_BYTES = 256 * MEBIBYTE  # a document: 12 h of words with times are 30 MB
MAX_JOBS_ASKED = 50  # by one GET /v1/jobs: the answer stays below MAX_ANSWER_BYTES
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 8.0


def origin(url: str) -> str:
    """Return scheme://host:port of a URL, with the port always written."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_trusted_transport(url: str) -> bool:
    """Whether a token may travel to this URL: https, loopback, or a name without dots (compose)."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost" or "." not in parts.hostname
