"""The JSON API of signed-in people: /api/…, cookies with CSRF, errors as {"error": {"code", "message"}}."""

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import django_auth

from jobs.api import router as jobs_router
from review.api import router as review_router

api = NinjaAPI(title="Bulk Transcribe", version="1", auth=django_auth, docs_url=None, openapi_url=None)
api.add_router("", jobs_router)
api.add_router("", review_router)


def _error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    return api.create_response(request, {"error": {"code": code, "message": message}}, status=status)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exc: Http404) -> HttpResponse:
    return _error(request, 404, "NOT_FOUND", "There is nothing at this address.")


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    return _error(request, 401, "NOT_SIGNED_IN", "Sign in first.")


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    first = exc.errors[0] if exc.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "order"))
    return _error(request, 400, "INVALID_REQUEST", f"{where}: {first.get('msg', 'is not valid')}")


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    return _error(request, exc.status_code, "INVALID_REQUEST", str(exc))
