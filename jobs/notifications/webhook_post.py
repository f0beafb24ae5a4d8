"""One POST to an address of a person's choice: to the very IP address that was checked, and never for long."""

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
    """No answer came; the message is a short reason without the address."""


@dataclass(frozen=True)
class Answer:
    """How the receiver answered, and how its answer begins."""

    status: int
    text: str


def post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> Answer:
    """Send `body` and return the answer, whatever it says. No redirect is followed, no proxy used.

    Raises AddressRefused and NotPosted. `seconds` bounds all of it but the name's look-up, which is the system's.
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
    """Nobody listens there: the next address of the host is tried."""


class _Pinned(HTTPConnection):
    """A connection to one IP address; the host's name is for the Host header and the certificate.

    After `seconds` the socket is shut down under whoever waits for it, so that a byte now and then buys no time.
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
    """Read at most MAX_ANSWER_BYTES: the status is known, and a body that breaks off changes nothing."""
    content = b""
    try:
        while len(content) < MAX_ANSWER_BYTES and (block := response.read1(MAX_ANSWER_BYTES - len(content))):
            content += block
    except (OSError, HTTPException, ValueError):
        pass
    return content.decode(errors="replace")


def _reason(failure: Exception) -> str:
    """A short reason without the address, which may hold a secret of the receiver's."""
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
