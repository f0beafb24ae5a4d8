"""A single POST to a user-supplied URL: pinned to the checked IP address and limited in time."""

import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from jobs.notifications.webhook_addresses import Target, resolve, target_of

MAX_ANSWER_BYTES = 4096


class NotPosted(Exception):
    """There was no response; the message is a short reason without the URL."""


@dataclass(frozen=True)
class Answer:
    """Status and beginning of the response."""

    status: int
    text: str


def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
    """Send `body` and return the response, whatever its status. Follows no redirects and uses no proxy.

    Raises AddressRefused and NotPosted. `seconds` limits everything except the DNS lookup.
    """
    target = target_of(url)
    deadline = time.monotonic() + seconds
    problem = NotPosted("")
    for address in resolve(target):
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotPosted(f"could not connect within {seconds:.0f} s")
        try:
            return _post(_Pinned(target, address, left), target, body, headers, seconds)
        except _NoConnection as failure:
            problem = failure
    raise problem


class _NoConnection(NotPosted):
    """The connection failed: try the next address of the host."""


class _Pinned(HTTPConnection):
    """A connection to a given IP address; the hostname is used for the Host header and the certificate.

    After `seconds`, the socket is shut down, so that a receiver cannot extend the time by sending single bytes.
    """

    def __init__(self, target: Target, address: str, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._address, self._is_tls = address, target.is_tls
        self.default_port = 443 if target.is_tls else 80
        self.is_over = False
        self._watch = Timer(seconds, self._shut_down)
        self._watch.daemon = True

    def connect(self) -> None:
        try:
            self.sock = socket.create_connection((self._address, self.port), self.timeout)
        except OSError as failure:
            raise _NoConnection(_reason(failure)) from failure
        self._watch.start()
        if self._is_tls:
            self.sock = _tls().wrap_socket(
                self.sock, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def close(self) -> None:
        self._watch.cancel()
        super().close()

    def _shut_down(self) -> None:
        self.is_over = True
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # of the system, below TLS
        except OSError:
            pass  # closed meanwhile


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()  # with what SSL_CERT_FILE names
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


def _post(
    connection: _Pinned, target: Target, body: bytes, headers: dict[str, str], seconds: float
) -> Answer:
    try:
        connection.request("POST", target.path, body, headers | {"Connection": "close"})
        response = connection.getresponse()
        if connection.is_over:  # cut off, headers look as if they had ended
            raise TimeoutError
        return Answer(response.status, _beginning(response))
    except (OSError, HTTPException) as failure:
        is_late = connection.is_over or isinstance(failure, TimeoutError)
        raise NotPosted(f"no response within {seconds:.0f} s" if is_late else _reason(failure)) from failure
    finally:
        connection.close()


def _beginning(response: HTTPResponse) -> str:
    """Read at most MAX_ANSWER_BYTES; an interrupted body does not matter, since the status is known."""
    content = b""
    try:
        while len(content) < MAX_ANSWER_BYTES and (block := response.read1(MAX_ANSWER_BYTES - len(content))):
            content += block
    except (OSError, HTTPException, ValueError):
        pass
    return content.decode(errors="replace")


def _reason(failure: Exception) -> str:
    """Return a short reason without the URL, which may contain secrets of the receiver."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"certificate rejected: {failure.verify_message}"
    if isinstance(failure, ssl.SSLError):
        return "TLS handshake failed"
    if isinstance(failure, TimeoutError):
        return "connection timed out"
    if isinstance(failure, ConnectionRefusedError):
        return "connection refused"
    if isinstance(failure, ConnectionError):
        return "connection closed without a response"
    return "invalid HTTP response" if isinstance(failure, HTTPException) else "unreachable"
