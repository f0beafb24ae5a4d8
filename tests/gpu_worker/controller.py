"""A controller small enough to read: serves inputs, takes outputs and `complete`, on a real socket."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

TOKEN = "a-token-that-logs-must-not-hold"
SIGNATURE = "a-signature-that-logs-must-not-hold"


def redirect(status: int, server: str) -> Callable[[BaseHTTPRequestHandler], int]:
    """An interference that sends the request on to the same path of a server."""

    def answer(request: BaseHTTPRequestHandler) -> int:
        request.send_response(status)
        request.send_header("Location", server + request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return -1

    return answer


@dataclass
class Received:
    """One POST of the worker."""

    path: str
    authorization: str
    agent: str
    fields: dict[str, Any]


@dataclass
class Controller:
    """What it serves and what it got. `interfere` may answer a request itself by returning a status."""

    files: dict[str, bytes] = field(default_factory=dict)
    outputs: list[Received] = field(default_factory=list)
    completes: list[Received] = field(default_factory=list)
    downloads: list[dict[str, str]] = field(default_factory=list)
    interfere: Callable[[BaseHTTPRequestHandler], int | None] = lambda _request: None
    url: str = ""

    def __enter__(self) -> Controller:
        self.reopen(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reopen(self, port: int) -> None:
        """Listen, on a free port or again on a known one."""
        handler = type("Handler", (_Handler,), {"controller": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def job(self, *names: str, **options: object) -> dict[str, Any]:
        """A job over these files, as POST /v1/jobs takes it."""
        return {
            "controllerJobId": "job-1",
            "controllerSessionHash": "0011223344556677",
            "inputs": [self.input(name) for name in names],
            "options": {"model": "", **options},
            "callbackUrl": f"{self.url}/api/jobs/job-1/worker/complete",
            "outputsUploadUrl": f"{self.url}/api/jobs/job-1/worker/outputs",
            "attempt": 1,
        }

    def input(self, name: str) -> dict[str, Any]:
        """One file of a job."""
        content = self.files[name]
        return {
            "inputId": f"in-{name}",
            "filename": f"secret name {name}",
            "contentType": "audio/wav",
            "sizeBytes": len(content),
            "downloadUrl": f"{self.url}/api/jobs/job-1/inputs/{name}?expires=9&sig={SIGNATURE}",
            "sha256": hashlib.sha256(content).hexdigest(),
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A worker that is killed resets its connections: no news."""


class _Handler(BaseHTTPRequestHandler):
    controller: Controller
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.controller.downloads.append(dict(self.headers))
        status = self.controller.interfere(self)
        if status:
            self.answer(status)
            return
        name = urlsplit(self.path).path.rsplit("/", 1)[-1]
        content = self.controller.files[name]
        first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.controller.interfere(self)
        if status:
            self.answer(status)
            return
        is_complete = self.path.endswith("/complete")
        received = Received(
            path=self.path,
            authorization=self.headers.get("Authorization", ""),
            agent=self.headers.get("User-Agent", ""),
            fields=json.loads(body) if is_complete else self.form(body),
        )
        (self.controller.completes if is_complete else self.controller.outputs).append(received)
        self.answer(200)

    def answer(self, status: int) -> None:
        """A JSON answer; -1 where `interfere` has answered already."""
        if status < 0:
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def form(self, body: bytes) -> dict[str, Any]:
        """The parts of a multipart body by their names."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = cast("list[Message]", message_from_bytes(head + body).get_payload())
        names = [str(part.get_param("name", header="content-disposition")) for part in parts]
        contents = [cast(bytes, part.get_payload(decode=True)) for part in parts]
        return {
            name: content if name == "file" else content.decode()
            for name, content in zip(names, contents, strict=True)
        }
