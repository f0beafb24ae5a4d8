"""The API at /api/… for pages (cookies with CSRF) and programs (tokens); errors are {"error": {"code", "message"}}."""

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation

import jobs.api.sessions
import jobs.api.trash  # noqa: F401 - the other parts of the router
from bulktranscribe.middleware import ERRORS
from jobs.access import ConfinedToken, MissingScope
from jobs.api.auth import Needs
from jobs.api.errors import refusal
from jobs.api.json_body import JsonParser
from jobs.api.session_page import router as jobs_router
from remoteworker.api import router as workers_router
from review.api.downloads import router as downloads_router
from review.api.review_page import router as review_router


class Api(NinjaAPI):
    """Operation ids are the names of the functions."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


api = Api(
    title="Bulk Transcribe", version="1", auth=Needs(), parser=JsonParser(), docs_url=None, openapi_url=None
)
for router in (jobs_router, review_router, downloads_router, workers_router):
    api.add_router("", router)


def _error(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    return api.create_response(request, refusal(code, message).wire(), status=status)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, exc: Http404) -> HttpResponse:
    return _error(request, 404, *ERRORS[404])


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    answer = _error(request, 401, *ERRORS[401])
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(MissingScope)
def missing_scope(request: HttpRequest, exc: MissingScope) -> HttpResponse:
    return _error(request, 403, "MISSING_SCOPE", str(exc))


@api.exception_handler(ConfinedToken)
def confined(request: HttpRequest, exc: ConfinedToken) -> HttpResponse:
    return _error(request, 403, "CONFINED_TOKEN", "This token is limited to one session.")


@api.exception_handler(RequestDataTooBig)
@api.exception_handler(TooManyFilesSent)
def too_large(request: HttpRequest, exc: Exception) -> HttpResponse:
    return _error(request, 413, *ERRORS[413])


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    first = exc.errors[0] if exc.errors else {}
    where = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "payload"))
    return _error(request, 400, "INVALID_REQUEST", f"{where}: {first.get('msg', 'is not valid')}")


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    if isinstance(exc.__cause__, HttpError):  # ninja says 400 to whatever a parser raises
        exc = exc.__cause__
    code, _ = ERRORS.get(exc.status_code, ERRORS[400])
    return _error(request, exc.status_code, code, str(exc))
