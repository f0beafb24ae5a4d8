"""waitress with streaming request bodies: waitress itself buffers them completely.

Uploads need this: unauthorized senders are rejected before anything is stored, a second sender is told about the first,
and the received part of an interrupted chunk is stored. Such requests have their own threads, so that slow senders do
not block pages; if all of these are busy, waitress buffers the body as usual.
"""

import io
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import waitress.server
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.task import ThreadedTaskDispatcher

from gpu_worker.shared.units import MEBIBYTE

STREAMS = 16  # bodies read at the same time
ROOM_BYTES = MEBIBYTE  # that came faster than the application reads; then the sender waits
SILENT_SECONDS = 20.0  # without a byte: what has arrived is all that there will be
Wanted = Callable[[str, str], bool]


class StreamedBody(io.IOBase):
    """The body of one request, filled by the server thread and read by the application as `wsgi.input`."""

    def __init__(self, length: int, on_room: Callable[[], None], on_close: Callable[[], None]) -> None:
        super().__init__()
        self._to_come = length
        self._here = bytearray()
        self._is_cut = self._is_closed = False
        self._changed = threading.Condition()
        self._on_room, self._on_close = on_room, on_close

    @property
    def is_whole(self) -> bool:
        """Return whether the last byte has arrived."""
        return self._to_come == 0

    @property
    def has_room(self) -> bool:
        return len(self._here) < ROOM_BYTES

    def put(self, data: bytes) -> int:
        """Accept the bytes of this body; return how many. They are discarded if no one reads anymore."""
        taken = data[: self._to_come]
        with self._changed:
            self._to_come -= len(taken)
            if not self._is_closed:
                self._here += taken
            self._changed.notify()
        return len(taken)

    def cut(self) -> None:
        """Mark the sender as disconnected."""
        with self._changed:
            self._is_cut = True
            self._changed.notify()

    def readable(self) -> bool:
        return True

    def read(self, size: int) -> bytes:
        """Return 1 to `size` bytes as soon as they are available; empty at the end of the body."""
        with self._changed:
            self._changed.wait_for(lambda: self._here or self.is_whole or self._is_cut, SILENT_SECONDS)
            had_room = self.has_room
            some = bytes(self._here[:size])
            del self._here[:size]
        if self.has_room and not had_room:
            self._on_room()
        return some

    def close(self) -> None:
        """Stop reading."""
        with self._changed:
            was_closed, self._is_closed = self._is_closed, True
            self._here.clear()
        if not was_closed:
            self._on_room()
            self._on_close()
        super().close()

    def getfile(self) -> "StreamedBody":  # waitress asks for these two
        return self

    getbuf = getfile


class Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Separate threads for complete requests and for those whose body is still arriving."""

    def __init__(self, threads: int, wanted: Wanted) -> None:
        super().__init__()
        self._wanted = wanted
        self._free = threading.BoundedSemaphore(STREAMS)
        self._streams = ThreadedTaskDispatcher()
        self._bodies: WeakSet[StreamedBody] = WeakSet()
        self.set_thread_count(threads)
        self._streams.set_thread_count(STREAMS)

    def stream(self, request: HTTPRequestParser, on_room: Callable[[], None]) -> StreamedBody | None:
        """Return a streaming body; None if the request needs none or too many are active."""
        if not self._wanted(request.command, request.path) or not self._free.acquire(blocking=False):
            return None
        body = StreamedBody(request.content_length, on_room, self._free.release)
        self._bodies.add(body)
        return body

    def add_task(self, task: "Channel") -> None:
        if task.requests[0].stream:
            self._streams.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        for body in list(self._bodies):
            body.cut()
        self._streams.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request that can be processed once its headers have arrived."""

    stream: StreamedBody | None = None
    completed: bool  # waitress's word for: may be served

    def __init__(self, channel: "Channel") -> None:
        super().__init__(channel.adj)
        self.channel = channel

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.headers_finished and not self.completed and not self.chunked and not self.body_bytes_received:
            server = self.channel.server
            self.stream = server.task_dispatcher.stream(self, server.pull_trigger)
        if self.stream and not self.completed:
            self.completed = True
            self.body_rcv = self.channel.body = self.stream
            consumed += self.channel.put_body(data[consumed:])
        return consumed


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection; `body` is the remaining body of the current or previous request."""

    body: StreamedBody | None = None
    closes_after_body = False
    close_when_flushed: bool

    def parser_class(self, adj: Any) -> Request:
        return Request(self)

    def put_body(self, data: bytes) -> int:
        """Return how many of these bytes belong to the current body."""
        if self.body is None:
            return 0
        taken = self.body.put(data)
        if self.body.is_whole:
            self.body = None
            self.close_when_flushed |= self.closes_after_body
        return taken

    def readable(self) -> bool:
        if self.body is None:
            return bool(super().readable())
        return not self.will_close and self.body.has_room

    def received(self, data: bytes) -> bool:
        data = data[self.put_body(data) :]
        return bool(super().received(data)) if data else True

    def send_continue(self) -> None:
        super().send_continue()  # which says that the body is still to come: it is, but nobody waits for it
        self.request.completed = self.request.stream is not None

    def handle_write(self) -> None:
        if (
            self.close_when_flushed and self.body
        ):  # closed now, the sender would see a broken connection, no answer
            self.close_when_flushed, self.closes_after_body = False, True
        super().handle_write()

    def handle_close(self) -> None:
        if self.body:
            self.body.cut()
        super().handle_close()

    def service(self) -> None:
        stream = self.requests[0].stream
        try:
            super().service()
        finally:
            if stream:
                stream.close()


def create_server(application: Any, wanted: Wanted, *, threads: int, **adjustments: Any) -> Any:
    """Return a waitress server that streams bodies of requests for which `wanted(method, path)` is true."""
    sockets: dict[int, Any] = {}
    dispatcher = Dispatcher(threads, wanted)
    server = waitress.server.create_server(application, map=sockets, _dispatcher=dispatcher, **adjustments)
    for each in sockets.values():
        if isinstance(each, BaseWSGIServer):
            each.channel_class = Channel
    return server
