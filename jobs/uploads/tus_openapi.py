"""Resumable uploads as the OpenAPI document has them: `tus` answers them outside of ninja."""

from typing import Any

from jobs.api import schemas
from jobs.models import Scope
from jobs.uploads.tus import OCTETS, VERSION

Described = dict[str, Any]
SCHEMAS = (schemas.IncomingAnswer, schemas.IncomingList)
TAGS = ["Uploads in pieces"]
REFUSAL = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
WORDS = {
    400: "A header is missing or cannot be read",
    409: "The piece does not begin where what has arrived ends",
    410: "Not finished in time: begin again",
    412: "Another version of tus",
    413: "Larger than this installation takes",
    415: f"Not {OCTETS}",
    423: "Somebody else sends it now",
    460: "The piece was damaged on the way",
    507: "No room on the disk, or in the quota",
}


def paths() -> dict[str, dict[str, Described]]:
    """Return the operations by path and method."""
    return {
        "/api/sessions/{pk}/incoming": {
            "get": _operation(
                "get_incoming_files", "List what is on its way into a session", 200, "IncomingList"
            ),
            "post": _begin(),
        },
        "/api/incoming/{pk}": {
            "get": _operation(
                "get_incoming", "Ask in JSON how far a file has come", 200, "IncomingAnswer", 410
            ),
            "head": _head(),
            "patch": _piece(),
            "delete": _tus("delete_incoming", "Give a file up", 204, (410, 423)),
        },
    }


def _begin() -> Described:
    begin = _tus("post_incoming", "Begin a file", 201, (400, 413, 507))
    begin["parameters"] += [
        _header("Upload-Length", "how many bytes the file has", _number(), required=True),
        _header("Upload-Metadata", "`filename` and `relativePath`, each with its text in base64", _text()),
    ]
    begin["responses"]["201"]["headers"] = {**_standing(), "Location": _answered("where to send it", _text())}
    return begin


def _head() -> Described:
    head = _tus("head_incoming", "Ask how far a file has come", 200, (410,))
    head["responses"]["200"]["headers"] = {**_standing(), "Upload-Length": _answered("its bytes", _number())}
    for status, response in head["responses"].items():
        if status != "200":
            response.pop("content", None)
    return head


def _piece() -> Described:
    piece = _tus("patch_incoming", "Send the next piece", 204, (400, 409, 410, 413, 415, 423, 460, 507))
    piece["parameters"] += [
        _header("Upload-Offset", "where the piece begins", _number(), required=True),
        _header("Upload-Checksum", "sha256, sha512, sha1 or md5, a space, and the digest in base64", _text()),
    ]
    binary = {"type": "string", "format": "binary"}
    piece["requestBody"] = {"required": True, "content": {OCTETS: {"schema": binary}}}
    piece["responses"]["204"]["headers"] = _standing()
    return piece


def _tus(name: str, summary: str, status: int, refusals: tuple[int, ...]) -> Described:
    """An operation of the protocol: it names the version."""
    described = _operation(name, summary, status, None, *refusals, 412, scope=Scope.UPLOAD)
    version = {"type": "string", "enum": [VERSION]}
    described["parameters"].append(_header("Tus-Resumable", "the version of tus", version, required=True))
    return described


def _operation(
    name: str, summary: str, status: int, schema: str | None, *refusals: int, scope: Scope = Scope.READ
) -> Described:
    told: Described = {"description": "OK"}
    if schema:
        told["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    pk = {"in": "path", "name": "pk", "required": True, "schema": {"type": "string", "format": "uuid"}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": TAGS,
        "x-scope": scope.value,
        "parameters": [pk],
        "responses": {
            str(status): told,
            **{str(code): {"description": WORDS[code], "content": REFUSAL} for code in refusals},
        },
    }


def _header(name: str, description: str, schema: Described, *, required: bool = False) -> Described:
    return {"in": "header", "name": name, "description": description, "required": required, "schema": schema}


def _answered(description: str, schema: Described) -> Described:
    return {"description": description, "schema": schema}


def _standing() -> Described:
    return {
        "Upload-Offset": _answered("how many bytes have arrived", _number()),
        "Upload-Expires": _answered("until when it may go on", _text()),
    }


def _number() -> Described:
    return {"type": "integer", "minimum": 0}


def _text() -> Described:
    return {"type": "string"}
