"""Resumable uploads: tus 1.0 (tus.io/protocols/resumable-upload) with creation, checksum, expiration, termination.

`POST /api/sessions/<id>/incoming` creates an upload; `HEAD`, `PATCH`, and `DELETE /api/incoming/<id>` act on it. `GET`
of both is an extension that returns JSON.
"""

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from typing import BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.http import http_date

from gpu_worker.shared.units import MEGABYTE
from jobs import access
from jobs.api.errors import error_response
from jobs.api.schemas import IncomingAnswer, IncomingList
from jobs.api.serializers import incoming_state
from jobs.models import IncomingUpload, Scope
from jobs.uploads import resumable
from jobs.uploads.ingest import UploadRefused
from jobs.uploads.resumable import Busy, ChecksumMismatch, Expired, Piece, WrongOffset

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
ALGORITHMS = ("sha1", "sha256", "sha512", "md5")
OCTETS = "application/offset+octet-stream"
MAX_DIGITS = 18  # the database counts to 2**63
REFUSALS = {"DISK_FULL": 507, "QUOTA_FULL": 507, "UPLOAD_TOO_LARGE": 413}
View = Callable[[HttpRequest, UUID], HttpResponse]


class Wrong(Exception):
    """An error response: status, code, and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


PROBLEMS: dict[type[Exception], Wrong] = {
    Busy: Wrong(423, "UPLOAD_BUSY", "This file is being uploaded by someone else or in another tab."),
    Expired: Wrong(410, "UPLOAD_EXPIRED", "This upload has expired. Upload the file again."),
    WrongOffset: Wrong(409, "WRONG_OFFSET", "Upload-Offset does not match the number of bytes received."),
    ChecksumMismatch: Wrong(
        460,
        "CHECKSUM_MISMATCH",
        "The checksum does not match: the chunk was damaged in transit. Send it again.",
    ),
    Http404: Wrong(404, "NOT_FOUND", "Not found."),
}


def _spoken(view: View) -> View:
    """Wrap a view with the protocol: version, authentication, and errors as statuses."""

    @wraps(view)
    def respond(request: HttpRequest, pk: UUID) -> HttpResponse:
        try:
            _check(request)
            response = view(request, pk)
        except Wrong as wrong:
            response = _told(wrong)
        except UploadRefused as refusal:
            status = REFUSALS.get(refusal.code, 400)
            response = _told(Wrong(status, refusal.code, refusal.message))
        except tuple(PROBLEMS) as problem:
            response = _told(PROBLEMS[type(problem)])
        response.headers["Tus-Resumable"] = VERSION
        response.headers["Cache-Control"] = "no-store"
        return response

    return respond


def _check(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        raise Wrong(401, "NOT_SIGNED_IN", "Sign in required.")
    if request.method == "POST" and (override := request.headers.get("X-HTTP-Method-Override")):
        request.method = override.upper()
    try:
        access.check_scope(request.user, Scope.READ if request.method in ("GET", "OPTIONS") else Scope.UPLOAD)
    except access.MissingScope as missing:
        raise Wrong(403, "MISSING_SCOPE", str(missing)) from None


def _check_version(request: HttpRequest) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Wrong(412, "WRONG_VERSION", f"Unsupported tus version. Send Tus-Resumable: {VERSION}.")


@_spoken
def incoming_files(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Uploads of a session: created with POST, listed with GET."""
    if request.method == "OPTIONS":
        return _options()
    session = access.find_session(request.user, pk)
    if request.method == "GET":
        return JsonResponse(
            IncomingList(incoming=[incoming_state(one) for one in resumable.unfinished(session)]).wire()
        )
    if request.method != "POST":
        raise Wrong(405, "NOT_ALLOWED", "Method not allowed. Create an upload with POST.")
    _check_version(request)
    said = _metadata(request.headers.get("Upload-Metadata", ""))
    name = said.get("filename") or said.get("name") or ""
    path = said.get("relativePath") or said.get("path") or ""
    begun = resumable.begin(session, name, path, _number(request, "Upload-Length"))
    where = request.build_absolute_uri(f"/api/incoming/{begun.pk}")
    return HttpResponse(status=201, headers={"Location": where, **_standing(begun)})


@_spoken
def incoming_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One upload: offset with HEAD (JSON with GET), continued with PATCH, canceled with DELETE."""
    if request.method == "OPTIONS":
        return _options()
    entry = access.find_incoming(request.user, pk)
    if entry.is_expired:
        raise Expired
    if request.method == "GET":
        return JsonResponse(IncomingAnswer(incoming=incoming_state(entry)).wire())
    _check_version(request)
    if request.method == "HEAD":
        resumable.settle(entry)
        described = {"Upload-Length": str(entry.size_bytes), "Upload-Metadata": _described(entry)}
        return HttpResponse(headers={**_standing(entry), **described})
    if request.method == "DELETE":
        resumable.give_up(entry)
        return HttpResponse(status=204)
    if request.method != "PATCH":
        raise Wrong(405, "NOT_ALLOWED", "Method not allowed. Use HEAD, PATCH, or DELETE.")
    resumable.append(entry, _piece(request))
    return HttpResponse(status=204, headers=_standing(entry))


def _piece(request: HttpRequest) -> Piece:
    if request.headers.get("Content-Type", "") != OCTETS:
        raise Wrong(415, "WRONG_TYPE", f"Content-Type must be {OCTETS}.")
    algorithm, digest = _checksum(request.headers.get("Upload-Checksum", ""))
    return Piece(
        offset=_number(request, "Upload-Offset"),
        length=_number(request, "Content-Length"),
        body=cast(BinaryIO, request),
        algorithm=algorithm,
        digest=digest,
    )


def _checksum(header: str) -> tuple[str, bytes | None]:
    if not header:
        return "sha256", None
    algorithm, _, encoded = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Wrong(400, "UNKNOWN_CHECKSUM", f"Unsupported checksum algorithm. Use {', '.join(ALGORITHMS)}.")
    return algorithm, _decoded(encoded, "Upload-Checksum")


def _number(request: HttpRequest, header: str) -> int:
    given = request.headers.get(header, "")
    if not (given.isascii() and given.isdigit() and len(given) <= MAX_DIGITS):
        raise Wrong(400, "INVALID_HEADER", f"{header} must be a non-negative integer.")
    return int(given)


def _metadata(header: str) -> dict[str, str]:
    """Parse Upload-Metadata: comma-separated pairs of a key and base64 text. Raises Wrong."""
    said = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        key, _, encoded = pair.partition(" ")
        said[key] = _decoded(encoded.strip(), "Upload-Metadata").decode("utf-8", "replace")
    return said


def _decoded(encoded: str, header: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong(400, "INVALID_HEADER", f"{header} is not valid base64.") from None


def _described(entry: IncomingUpload) -> str:
    path = f"{entry.folder}/{entry.name}" if entry.folder else entry.name
    said = {"filename": entry.name, "relativePath": path}
    return ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items())


def _standing(entry: IncomingUpload) -> dict[str, str]:
    return {
        "Upload-Offset": str(entry.offset_bytes),
        "Upload-Expires": http_date(entry.expires_at.timestamp()),
    }


def _options() -> HttpResponse:
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
            "Tus-Max-Size": str(settings.MAX_UPLOAD_MB * MEGABYTE),
        },
    )


def _told(wrong: Wrong) -> HttpResponse:
    response = error_response(wrong.status, wrong.code, wrong.message)
    if wrong.status == 412:
        response.headers["Tus-Version"] = VERSION
    return response
