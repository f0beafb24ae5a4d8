"""Uploads a file in chunks with tus 1.0 and checksums; resumes after interruptions and in later runs."""

import base64
import hashlib
import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from bulktranscribe.cli.client import Changed, OnBytes, Refused, Say, Source, Unreachable
from bulktranscribe.cli.transport import HttpTransport

VERSION = {"Tus-Resumable": "1.0.0"}
SMALLEST, FIRST, LARGEST = (
    256 << 10,
    4 << 20,
    16 << 20,
)  # bytes of a piece: half after each break, double after none
PATIENCE_SECONDS = 900.0  # without a byte that went through
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts; the last one repeats
AGAIN = ("WRONG_OFFSET", "CHECKSUM_MISMATCH")  # requesting the offset allows resuming
GONE = ("UPLOAD_EXPIRED", "NOT_FOUND", "HTTP_410", "HTTP_404")  # the numbers where the answer has no body
MOST_GONE = 5  # deleted uploads until a file is rejected


@dataclass(frozen=True)
class Arrived:
    """The result of an upload."""

    upload: str  # its id
    is_ours: bool  # created from bytes sent now; not one that the session had, or that someone else finished


def send(transport: HttpTransport, session: str, source: Source, on_bytes: OnBytes, say: Say) -> Arrived:
    """Upload a file completely and return the result.

    Raises Refused, OSError, Changed if the file has become shorter, and Unreachable after a long time without
    responses.
    """
    with source.path.open("rb") as file:
        return Sending(transport, session, source, on_bytes, say).run(file)


class Sending:
    """An upload in progress."""

    def __init__(
        self, transport: HttpTransport, session: str, source: Source, on_bytes: OnBytes, say: Say
    ) -> None:
        self.transport, self.session, self.source = transport, session, source
        self.on_bytes, self.say = on_bytes, say
        self.place = ""  # its address over there, once there is one
        self.has_sent = False  # something, to that address; perhaps nothing of it arrived
        self.gone: set[str] = set()  # addresses at which nothing is any more
        self.piece, self.largest = FIRST, LARGEST
        self.attempts = 0  # since something went through
        self.silent_since: float | None = None

    def run(self, file: BinaryIO) -> Arrived:
        """Send the missing bytes despite interruptions, until the upload is complete."""
        while True:
            try:
                self.place = self.place or self._unfinished() or self._begin()
                return self._go_on(file)
            except Unreachable as silence:
                if self.attempts == 1:  # a single break is no news
                    self.say(f"{silence} Retrying…")
                self._wait()
            except Refused as refusal:
                if refusal.code in GONE and self.place:
                    self._leave()
                elif (
                    refusal.code == "HTTP_413" and self.piece > SMALLEST
                ):  # a proxy that takes less at a time
                    self.largest = self.piece // 2
                elif refusal.code not in AGAIN:
                    raise
                self._wait()

    def _leave(self) -> None:
        """Start over because the upload no longer exists. Raises Refused if that happens repeatedly."""
        self.gone.add(self.place)
        self.place, self.has_sent = "", False
        if len(self.gone) >= MOST_GONE:
            raise Refused("UPLOAD_GONE", "The server keeps discarding the uploaded data. Upload stopped.")

    def _go_on(self, file: BinaryIO) -> Arrived:
        """Request the offset and send the rest. Raises Changed, and Refused if the upload no longer exists."""
        offset = int(self.transport.call("HEAD", self.place, headers=VERSION).headers["Upload-Offset"])
        while offset < self.source.size:
            self.on_bytes(offset)
            file.seek(offset)
            data = file.read(min(self.piece, self.source.size - offset))
            if not data:
                raise Changed
            offset = self._patch(data, offset)
        self.on_bytes(offset)
        became = self.transport.json("GET", self.place)["incoming"]
        upload = became["upload"] or became["duplicateOf"]
        if upload is None:
            raise Refused("UPLOAD_EXPIRED", "The file was deleted right after it was uploaded.")
        return Arrived(str(upload["id"]), is_ours=self.has_sent and became["upload"] is not None)

    def _patch(self, data: bytes, offset: int) -> int:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        headers = {
            **VERSION,
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {checksum}",
            "Content-Type": "application/offset+octet-stream",
        }
        self.has_sent = True
        answer = self.transport.call("PATCH", self.place, headers=headers, data=data)
        self.piece = min(self.largest, self.piece * 2)
        self.attempts, self.silent_since = 0, None
        return int(answer.headers["Upload-Offset"])

    def _unfinished(self) -> str:
        """Return the URL of this file's upload from an earlier run; empty if there is none.

        A complete upload that is still listed has been deleted.
        """
        rows = self.transport.json("GET", f"/api/sessions/{self.session}/incoming")["incoming"]
        for row in rows:
            path = f"{row['folder']}/{row['name']}" if row["folder"] else row["name"]
            place = f"/api/incoming/{row['id']}"
            is_open = row["offsetBytes"] < row["sizeBytes"] and place not in self.gone
            if is_open and (path, row["sizeBytes"]) == (self.source.relative, self.source.size):
                return place
        return ""

    def _begin(self) -> str:
        relative = self.source.relative
        said = {"filename": PurePosixPath(relative).name, "relativePath": relative}
        pairs = (
            f"{key} {base64.b64encode(text.encode(errors='replace')).decode()}" for key, text in said.items()
        )
        headers = {**VERSION, "Upload-Length": str(self.source.size), "Upload-Metadata": ",".join(pairs)}
        made = self.transport.call("POST", f"/api/sessions/{self.session}/incoming", headers=headers)
        # Its own name for itself may be one that is not reached from here: the last part is what counts.
        return f"/api/incoming/{made.headers['Location'].rstrip('/').rsplit('/', 1)[1]}"

    def _wait(self) -> None:
        """Pause after an interruption and use smaller chunks. Raises Unreachable after a long silence."""
        now = time.monotonic()
        self.silent_since = self.silent_since or now
        if now - self.silent_since > PATIENCE_SECONDS:
            raise Unreachable(f"{self.transport.url} has taken nothing for {PATIENCE_SECONDS:.0f} s.")
        self.piece = max(SMALLEST, self.piece // 2)
        time.sleep(PAUSES[min(self.attempts, len(PAUSES) - 1)])
        self.attempts += 1
