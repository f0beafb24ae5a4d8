"""An HTTP proxy that does what networks do: passes, refuses, swallows, answers for somebody else."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


@dataclass(frozen=True)
class Fault:
    """What happens to a call. `reaches`: the other side hears it, whatever becomes of its answer."""

    reaches: bool = False
    status: int = 0  # answered with a page of HTML; 0: the connection is closed without a word
    seconds: float = 0.0  # thought about first


CUT = Fault()
LOST_REPLY = Fault(reaches=True)


class QuietServer(ThreadingHTTPServer):
    """Says nothing when a caller is killed in the middle of its call."""

    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        pass


class Proxy:
    """Stands before `target_port`; `rule` says of each "METHOD /path" what is wrong with it, None: nothing."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.rule: Callable[[str], Fault | None] = lambda _call: None
        self.calls: list[str] = []
        self.server = QuietServer(("127.0.0.1", 0), partial(Handler, self))
        self.port = int(self.server.server_address[1])
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def heal(self) -> None:
        """Pass everything on again."""
        self.rule = lambda _call: None

    def cut(self) -> None:
        """Pass nothing on."""
        self.rule = lambda _call: CUT

    def break_once(self, part: str, fault: Fault) -> None:
        """Do this to the first call that has `part` in it, and to no other."""
        left = [fault]
        self.rule = lambda call: left.pop() if part in call and left else None

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def forward(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()


class Handler(BaseHTTPRequestHandler):
    """One connection through a proxy."""

    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: Proxy, *args: Any) -> None:
        self.proxy = proxy
        super().__init__(*args)

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = f"{self.command} {self.path}"
        self.proxy.calls.append(call)
        fault = self.proxy.rule(call)
        try:
            if fault is None or fault.reaches:
                headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
                answer = self.proxy.forward(self.command, self.path, body, headers)
            if fault is None:
                self.relay(*answer)
            else:
                self.fail(fault)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # the other side is down: so is its proxy

    def fail(self, fault: Fault) -> None:
        threading.Event().wait(fault.seconds)
        if fault.status:
            self.relay(
                fault.status, [("Content-Type", "text/html")], b"<html><body>Bad gateway</body></html>"
            )
        else:
            self.close_connection = True

    def relay(self, status: int, headers: Any, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *args: object) -> None:
        pass
