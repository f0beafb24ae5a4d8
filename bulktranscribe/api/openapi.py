"""Generates the OpenAPI document; `manage.py draw_openapi` writes it to `docs/openapi.json`."""

import json
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from bulktranscribe.api.api import api
from bulktranscribe.middleware import ERRORS
from jobs.api import schemas
from jobs.api.auth import Needs
from jobs.models import Scope
from jobs.uploads import tus_openapi
from review.exports import FORMATS

Described = dict[str, Any]
REF = "#/components/schemas/{model}"
OF_ALL = (schemas.Refusal, *tus_openapi.SCHEMAS)
SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token from Settings → API tokens"},
    "page": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Session cookie with X-CSRFToken",
    },
}
BYTES = {"schema": {"type": "string", "format": "binary"}}
FILES = {
    "get_media": {"*/*": BYTES},
    "get_export": {form.content_type.partition(";")[0]: BYTES for form in FORMATS.values()},
}


@cache
def document() -> Described:
    """Return the OpenAPI document: ninja's operations, resumable uploads, and all possible errors."""
    drawn = dict(api.get_openapi_schema())
    drawn["info"] = {
        "title": "Bulk Transcribe",
        "version": "1",
        "description": "docs/api.md has a complete walkthrough with curl.",
    }
    components = drawn["components"]
    components["schemas"].update(_of_all())
    components["schemas"] = dict(sorted(components["schemas"].items()))
    components["securitySchemes"] = SECURITY
    scopes = _scopes()
    for methods in drawn["paths"].values():
        for operation in methods.values():
            _describe(operation, scopes.get(operation["operationId"]))
    drawn["paths"] = dict(sorted({**drawn["paths"], **tus_openapi.paths()}.items()))
    for path, methods in drawn["paths"].items():
        for method, operation in methods.items():
            _add_refusals(path, method, operation)
    drawn["security"] = [{name: []} for name in SECURITY]
    return drawn


def _of_all() -> Described:
    _, definitions = models_json_schema(
        [(model, "serialization") for model in OF_ALL], by_alias=True, ref_template=REF
    )
    return dict(definitions["$defs"])


def _scopes() -> dict[str, Scope]:
    """Return the scope of each operation that requires more than reading."""
    found = {}
    for _, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for needs in operation.auth_callbacks:
                    if isinstance(needs, Needs) and needs.scope:
                        found[operation.view_func.__name__] = needs.scope
    return found


def _describe(operation: Described, scope: Scope | None) -> None:
    """Set the summary of an operation and the scope that a token needs."""
    operation["summary"] = operation.pop("description", operation["summary"]).strip().partition("\n")[0]
    operation["x-scope"] = (scope or Scope.READ).value
    operation.pop("security", None)
    if files := FILES.get(operation["operationId"]):
        operation["responses"] = {"200": {"description": "The file", "content": files}}
    if operation["operationId"] == "get_media":
        part = {"description": "The requested byte range", "content": files}
        operation["responses"].update({"206": part, "416": {"description": "Range not satisfiable"}})
    operation["responses"] = {str(status): told for status, told in operation["responses"].items()}


def _add_refusals(path: str, method: str, operation: Described) -> None:
    queries = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    wanted = {401, 403, 404} if "{" in path or any(_is_id(one) for one in queries) else {401, 403}
    if "requestBody" in operation:
        wanted |= {400, 413, 415} if _takes_json(operation) else {400, 413}
    if queries:
        wanted.add(400)
    content = {} if method == "head" else {"content": tus_openapi.REFUSAL}
    for status in wanted:
        operation["responses"].setdefault(str(status), {"description": ERRORS[status][1], **content})
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _is_id(parameter: Described) -> bool:
    return '"uuid"' in json.dumps(parameter["schema"])


def _takes_json(operation: Described) -> bool:
    return "application/json" in operation["requestBody"]["content"]
