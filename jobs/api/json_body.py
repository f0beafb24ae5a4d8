"""The body of a request to the API: JSON, said to be JSON, of a bounded size."""

import json
import math
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from gpu_worker.shared.protocol import plain


def read_json(request: HttpRequest) -> Any:
    """Return what the body says, to be read strictly: NaN, overflowing numbers and NUL are still in it.

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
    """Where ninja reads bodies, of which only what any database can hold goes further."""

    def parse_body(self, request: HttpRequest) -> Any:
        body = read_json(request)
        try:
            _check(body)
        except RecursionError:
            raise HttpError(400, "The request body is nested too deeply.") from None
        return body


def _check(value: Any) -> None:
    """Raise HttpError 400 for half a character or NUL in a text, and for a number that is none or overflows."""
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
