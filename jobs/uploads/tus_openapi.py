"""OpenAPI description of resumable uploads, which `tus` handles outside of ninja."""

from typing import Any

from jobs.api import schemas
from jobs.models import Scope
from jobs.uploads.tus import OCTETS, VERSION

Described = dict[str, Any]
SCHEMAS = (schemas.IncomingAnswer, schemas.IncomingList)
TAGS = ["Resumable uploads"]
REFUSAL = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
WORDS = {
    400: "A header is missing or invalid",
    409: "Upload-Offset does not match the number of bytes received",
    410: "The upload has expired",
    412: "Unsupported tus version",
    413: "The file is too large",
    415: f"Content-Type is not {OCTETS}",
    423: "The upload is in use by another client",
    460: "The checksum does not match",
    507: "Not enough disk space, or quota exceeded",
}


def paths() -> dict[str, dict[str, Described]]:
    """Return the operations by path and method."""
    return {
        "/api/sessions/{pk}/incoming": {
            "get": _operation(
                "get_incoming_files", "List unfinished uploads of a session", 200, "IncomingList"
            ),
            "post": _begin(),
        },
        "/api/incoming/{pk}": {
            "get": _operation(
                "get_incoming", "Get the progress of an upload as JSON", 200, "IncomingAnswer", 410
            ),
            "head": _head(),
            "patch": _piece(),
            "delete": _tus("delete_incoming", "Cancel an upload", 204, (410, 423)),
        },
    }


def _begin() -> Described:
    begin = _tus("post_incoming", "Create an upload", 201, (400, 413, 507))
    begin["parameters"] += [
        _header("Upload-Length", "size of the file in bytes", _number(), required=True),
        _header(
            "Upload-Metadata",
            "`filename` and `relativePath`, each followed by its base64-encoded value",
            _text(),
        ),
    ]
    begin["responses"]["201"]["headers"] = {
        **_standing(),
        "Location": _answered("URL of the upload", _text()),
    }
    return begin


def _head() -> Described:
    head = _tus("head_incoming", "Get the offset of an upload", 200, (410,))
    head["responses"]["200"]["headers"] = {
        **_standing(),
        "Upload-Length": _answered("content of the chunk", _number()),
    }
    for status, response in head["responses"].items():
        if status != "200":
            response.pop("content", None)
    return head


def _piece() -> Described:
    piece = _tus("patch_incoming", "Send the next chunk", 204, (400, 409, 410, 413, 415, 423, 460, 507))
    piece["parameters"] += [
        _header("Upload-Offset", "offset of the chunk", _number(), required=True),
        _header(
            "Upload-Checksum",
            "sha256, sha512, sha1, or md5, followed by a space and the base64-encoded digest",
            _text(),
        ),
    ]
    binary = {"type": "string", "format": "binary"}
    piece["requestBody"] = {"required": True, "content": {OCTETS: {"schema": binary}}}
    piece["responses"]["204"]["headers"] = _standing()
    return piece


def _tus(name: str, summary: str, status: int, refusals: tuple[int, ...]) -> Described:
    """An operation of the protocol, with its version header."""
    described = _operation(name, summary, status, None, *refusals, 412, scope=Scope.UPLOAD)
    version = {"type": "string", "enum": [VERSION]}
    described["parameters"].append(_header("Tus-Resumable", "tus version", version, required=True))
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
        "Upload-Offset": _answered("number of bytes received", _number()),
        "Upload-Expires": _answered("when the upload expires", _text()),
    }


def _number() -> Described:
    return {"type": "integer", "minimum": 0}


def _text() -> Described:
    return {"type": "string"}
