"""The error responses of the controller, {"error": {"code", "message"}}, created only here."""

from collections.abc import Mapping

from django.http import JsonResponse
from ninja import Status

from jobs.api.schemas import Error, Refusal


def refusal(code: str, message: str) -> Refusal:
    """Return an error: `code` is for programs, `message` for people."""
    return Refusal(error=Error(code=code, message=message))


def refused(status: int, code: str, message: str) -> Status[Refusal]:
    """Return an error as an operation of the API answers it."""
    return Status(status, refusal(code, message))


def error_response(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """Return an error as a view answers it that is no operation of the API."""
    return JsonResponse(refusal(code, message).wire(), status=status, headers=dict(headers or {}))
