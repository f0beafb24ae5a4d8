"""The API page: every operation by topic, in HTML without scripts or external resources."""

from collections import defaultdict
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bulktranscribe.api.openapi import document
from jobs.models import Scope

Described = dict[str, Any]


@require_safe
def openapi_json(request: HttpRequest) -> JsonResponse:
    return JsonResponse(document())


@require_safe
def docs_page(request: HttpRequest) -> HttpResponse:
    drawn = document()
    topics: dict[str, list[Described]] = defaultdict(list)
    for path, methods in drawn["paths"].items():
        for method, operation in methods.items():
            topics[operation["tags"][0]].append(_operation(path, method, operation))
    kinds = [_kind(name, schema) for name, schema in drawn["components"]["schemas"].items()]
    context = {"topics": dict(topics), "kinds": kinds, "scopes": Scope.choices}
    return render(request, "api_docs.html", context)


def _operation(path: str, method: str, operation: Described) -> Described:
    body = operation.get("requestBody", {}).get("content", {})
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "scope": operation["x-scope"],
        "parameters": [{**one, "kind": _words(one["schema"])} for one in operation.get("parameters", [])],
        "bodies": [_content(kind, content) for kind, content in body.items()],
        "responses": [
            {
                "status": status,
                "description": told["description"],
                "contents": [_content(kind, content) for kind, content in told.get("content", {}).items()],
            }
            for status, told in operation["responses"].items()
        ],
    }


def _content(kind: str, content: Described) -> Described:
    schema = content["schema"]
    fields = _kind("", schema)["fields"] if "properties" in schema else []
    return {"type": kind, "link": _name(schema), "kind": _words(schema), "fields": fields}


def _kind(name: str, schema: Described) -> Described:
    required = schema.get("required", [])
    return {
        "name": name,
        "description": schema.get("description", ""),
        "values": schema.get("enum", []),
        "fields": [
            {
                "name": field,
                "kind": _words(one),
                "link": _link(one),
                "required": field in required,
                "description": one.get("description", ""),
            }
            for field, one in schema.get("properties", {}).items()
        ],
    }


def _name(schema: Described) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _link(schema: Described) -> str:
    """Return the schema that a field, or its items, refers to."""
    either = next((_name(one) for one in schema.get("anyOf", []) if _name(one)), "")
    return _name(schema) or either or _name(schema.get("items", {}))


def _words(schema: Described) -> str:
    """Return a short description of a type."""
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_words(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"[{_words(schema.get('items', {}))}]"
    return str(_name(schema) or schema.get("format") or schema.get("type") or "any")
