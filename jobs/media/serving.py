"""Media over HTTP: content types from a closed list, and Range support."""

import os
import re
from pathlib import Path, PurePath
from typing import BinaryIO
from urllib.parse import quote

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase

CONTENT_TYPES = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mka": "audio/x-matroska",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webm": "video/webm",
    ".wma": "audio/x-ms-wma",
}


USUAL_BYTES_A_SECOND = {".wav": 96_000, ".aif": 96_000, ".aiff": 96_000, ".flac": 60_000}
USUAL_VIDEO, USUAL_AUDIO = 250_000, 16_000


def usual_seconds(name: str, size_bytes: int) -> float:
    """Estimate the audio duration of a file from its name and size: 48 kHz mono, 128 kbit/s, 2 Mbit/s with pictures."""
    suffix = PurePath(name).suffix.lower()
    kind = CONTENT_TYPES.get(suffix, "")
    usual = USUAL_VIDEO if kind.startswith("video/") else USUAL_AUDIO
    return max(1.0, size_bytes / USUAL_BYTES_A_SECOND.get(suffix, usual))


class RangeNotSatisfiable(ValueError):
    """The requested range is outside the file."""


class Part:
    """The bytes `first` to `last` of an open file, as a file of their own.

    waitress sends a file asynchronously, so that no thread waits for a stalled reader; an iterator of blocks would
    occupy one.
    """

    def __init__(self, file: BinaryIO, first: int, last: int) -> None:
        self.file, self.first, self.size = file, first, last - first + 1
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        left = max(0, self.size - self.tell())
        return self.file.read(left if size < 0 else min(size, left))

    def tell(self) -> int:
        return self.file.tell() - self.first

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}[whence]
        return self.file.seek(self.first + base + offset) - self.first

    def close(self) -> None:
        self.file.close()


def content_type(name: str) -> str:
    """Return the media type for a file name; never one that a browser would run or render."""
    return CONTENT_TYPES.get(PurePath(name).suffix.lower(), "application/octet-stream")


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Parse a Range header: the first and last requested byte, or None to send the whole file.

    A single range is supported; several ranges, other units, and invalid values are ignored, as RFC 9110 allows.
    Raises RangeNotSatisfiable.
    """
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first_text, last_text = match.groups()
    if not first_text:
        length = int(last_text)
        if length == 0 or size == 0:
            raise RangeNotSatisfiable
        return max(0, size - length), size - 1
    first, last = int(first_text), min(int(last_text or size - 1), size - 1)
    if last_text and int(last_text) < first:
        return None
    if first >= size:
        raise RangeNotSatisfiable
    return first, last


def file_response(
    request: HttpRequest, path: Path, *, etag: str, content_type: str, name: str
) -> HttpResponseBase:
    """Respond with a file, whole or the requested range (206/416, If-Range, suffix ranges).

    Raises FileNotFoundError.
    """
    size = path.stat().st_size
    headers = {}
    status = 200
    first, last = 0, size - 1
    try:
        if wanted := _wanted_range(request, size, etag):
            first, last = wanted
            status, headers = 206, {"Content-Range": f"bytes {first}-{last}/{size}"}
    except RangeNotSatisfiable:
        refusal = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        return _with_headers(refusal, etag, content_type, name)
    if request.method == "HEAD":  # no server would leave a file's body out for us
        headers["Content-Length"] = str(last - first + 1)
        return _with_headers(HttpResponse(status=status, headers=headers), etag, content_type, name)
    part = FileResponse(Part(path.open("rb"), first, last), status=status, headers=headers)
    return _with_headers(part, etag, content_type, name)


def _wanted_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    header = request.headers.get("Range", "")
    if not header or request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return None
    return parse_range(header, size)


def _with_headers(response: HttpResponseBase, etag: str, content_type: str, name: str) -> HttpResponseBase:
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["ETag"] = f'"{etag}"'
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-transform"
    return response
