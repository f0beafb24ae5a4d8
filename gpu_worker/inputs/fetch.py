"""Downloads one input from the controller: resumes interruptions, verifies size and sha256."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import requests

from gpu_worker.errors import Fault
from gpu_worker.logs import log
from gpu_worker.outputs.transport import growing_waits, open_session
from gpu_worker.shared.protocol import InputSpec
from gpu_worker.shared.units import MEGABYTE
from gpu_worker.timeouts import DOWNLOAD_PATIENCE

CHUNK = 256 * 1024  # bytes between two looks at the cancel flag
TIMEOUTS = (5.0, 30.0)  # seconds to connect, and without a byte
REPORT_SECONDS = 5.0
PASSING = frozenset({408, 425, 429}) | frozenset(range(500, 600))


class _Damaged(Exception):
    """The received file does not match."""


class Fetch:
    """One download. `pause` waits and may raise to stop; `report` takes the bytes received so far."""

    def __init__(
        self,
        spec: InputSpec,
        max_bytes: int,
        pause: Callable[[float], None],
        report: Callable[[int], None],
    ) -> None:
        self._spec = spec
        self._max_bytes = max_bytes
        self._pause = pause
        self._report = report
        self._etag = ""
        self._got = 0
        self._sha = hashlib.sha256()

    def to(self, target: Path) -> int:
        """Write the file to `target` and return its size in bytes.

        A damaged file is downloaded once more from the start. Raises Fault with
        DOWNLOAD_FAILED, CHECKSUM_MISMATCH or INPUT_TOO_LARGE, and OSError if the disk is full.
        """
        for _ in range(2):
            try:
                self._download(target)
                return self._got
            except _Damaged as damage:
                reason = str(damage)
        raise Fault("CHECKSUM_MISMATCH", f"The file arrived damaged, twice: {reason}.")

    def _download(self, target: Path) -> None:
        waits = growing_waits()
        since = time.monotonic()
        with target.open("wb") as out, open_session() as session:
            self._restart(out)
            while True:
                before = self._got
                try:
                    self._stream(session, out)
                    break
                except requests.RequestException as broken:
                    if self._got > before:
                        waits, since = growing_waits(), time.monotonic()
                    if time.monotonic() - since > DOWNLOAD_PATIENCE:
                        raise Fault("DOWNLOAD_FAILED", _unreachable(broken)) from None
                    log("download_interrupted", bytes=self._got, reason=type(broken).__name__)
                self._pause(next(waits))
        self._verify()

    def _stream(self, session: requests.Session, out: BinaryIO) -> None:
        headers = {"Accept-Encoding": "identity"}
        if self._got:
            headers["Range"] = f"bytes={self._got}-"
            if self._etag:
                headers["If-Range"] = self._etag
        url = self._spec.download_url
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUTS, allow_redirects=False) as reply:
            self._begin(reply, out)
            reported = time.monotonic()
            for chunk in reply.iter_content(CHUNK):
                self._take(chunk, out)
                self._pause(0.0)
                if time.monotonic() - reported > REPORT_SECONDS:
                    reported = time.monotonic()
                    self._report(self._got)
        if self._got < self._spec.size_bytes:
            # Some servers end a broken transfer as if it were whole: resume as after a cut.
            raise requests.ConnectionError("the transfer ended early")

    def _begin(self, reply: requests.Response, out: BinaryIO) -> None:
        """Check the response headers; start over if the server does not resume at our offset."""
        if reply.status_code in PASSING:
            raise requests.ConnectionError(f"HTTP {reply.status_code}")
        if reply.status_code == 416:
            self._restart(out)
            raise requests.ConnectionError("the server cannot resume")
        if reply.status_code not in (200, 206):
            raise Fault("DOWNLOAD_FAILED", _refused(reply.status_code))
        resumes = reply.headers.get("Content-Range", "").startswith(f"bytes {self._got}-")
        if self._got and not (reply.status_code == 206 and resumes):
            self._restart(out)
            if reply.status_code == 206:
                raise requests.ConnectionError("the server sent a different range")
        etag = reply.headers.get("ETag", "")
        self._etag = "" if etag.startswith("W/") else etag

    def _take(self, chunk: bytes, out: BinaryIO) -> None:
        self._got += len(chunk)
        if self._got > self._max_bytes:
            limit = self._max_bytes // MEGABYTE
            raise Fault("INPUT_TOO_LARGE", f"The file is larger than {limit} MB (WORKER_MAX_FILE_MB).")
        if self._spec.size_bytes and self._got > self._spec.size_bytes:
            raise _Damaged("longer than announced")
        self._sha.update(chunk)
        out.write(chunk)

    def _restart(self, out: BinaryIO) -> None:
        out.seek(0)
        out.truncate()
        self._got = 0
        self._sha = hashlib.sha256()

    def _verify(self) -> None:
        if self._spec.sha256 and self._sha.hexdigest() != self._spec.sha256:
            raise _Damaged("SHA-256 mismatch")


def _refused(status: int) -> str:
    if 300 <= status < 400:
        return f"The controller redirects (HTTP {status}). CONTROLLER_BASE_URL must be its final URL."
    return f"The controller rejected the download (HTTP {status}): the link has expired or was altered."


def _unreachable(broken: requests.RequestException) -> str:
    """Return only the type of the error, since its text contains the signed URL."""
    return f"The controller could not be reached for {DOWNLOAD_PATIENCE:.0f} s ({type(broken).__name__})."
