"""Request bodies of the API: JSON with the right content type and a limited size."""

import json
import math
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from gpu_worker.shared.protocol import plain


def read_json(request: HttpRequest) -> Any:
    """Return the parsed body. NaN, overflowing numbers, and NUL are not rejected yet.

    Raises HttpError 400, 413 and 415.
    """
    try:
        body = request.body
    except RequestDataTooBig:
        raise HttpError(413, "The request body is too large.") from None
    if request.content_type != "application/json":
        raise HttpError(415, "Content-Type must be application/json.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise HttpError(400, "The request body is not valid JSON.") from None


class JsonParser(Parser):
    """Parses bodies for ninja and rejects values that a database cannot store."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = read_json(request)
        try:
            _check(body)
        except RecursionError:
            raise HttpError(400, "The request body is nested too deeply.") from None
        return body


def _check(value: Any) -> None:
    """Raise HttpError 400 for lone surrogates and NUL in strings, and for NaN and overflowing numbers."""
    match value:
        case str() if plain(value) != value:
            raise HttpError(400, "Strings must be Unicode without NUL characters.")
        case float() if not math.isfinite(value):
            raise HttpError(400, "Numbers must be finite.")
        case list():
            for each in value:
                _check(each)
        case dict():
            for pair in value.items():
                _check(list(pair))
