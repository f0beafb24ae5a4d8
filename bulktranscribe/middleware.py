"""Middleware for security headers, HEAD, bearer tokens, and API errors."""

import secrets
from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from jobs import access
from jobs.api import tokens
from jobs.api.errors import error_response

API = "/api/"
Handler = Callable[[HttpRequest], HttpResponse]

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(get_response: Handler) -> Handler:
    """Forbid inline scripts, other origins, and framing on every page.

    A template that writes `request.style_nonce` allows styles with that nonce, for a library that brings its own.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        given: list[str] = []

        def nonce() -> str:
            given[:] = given or [secrets.token_urlsafe(16)]
            return given[0]

        request.style_nonce = nonce  # type: ignore[attr-defined]  # templates call it
        response = get_response(request)
        styles = "".join(f"; style-src 'self' 'nonce-{each}'" for each in given)
        response.headers.setdefault("Content-Security-Policy", POLICY + styles)
        return response

    return respond


def headers_alone(get_response: Handler) -> Handler:
    """Respond to HEAD without a body: waitress would send it, which would corrupt the next response."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.META["REQUEST_METHOD"] == "HEAD" and not response.streaming and response.content:
            length = str(len(response.content))
            response.content = b""
            response.headers["Content-Length"] = length
        return response

    return respond


def bearer_tokens(get_response: Handler) -> Handler:
    """For /api/, authenticate with `Authorization: Bearer …`. Cookies are then ignored, so that CSRF is impossible.

    An invalid token means an anonymous request. Tokens of workers are not handled here: their endpoints require no
    sign-in.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if request.path.startswith(API) and kind.lower() == "bearer":
            token = tokens.find(secret.strip())
            request.user = access.act_by(token) if token else AnonymousUser()
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as Django's test client says it
        return get_response(request)

    return respond


ERRORS = {
    400: ("INVALID_REQUEST", "The request is not valid."),
    401: ("NOT_SIGNED_IN", "Authentication required. Sign in, or send a valid token."),
    403: ("NOT_ALLOWED", "Permission denied. Requests with cookies must send X-CSRFToken."),
    404: ("NOT_FOUND", "Not found."),
    405: ("METHOD_NOT_ALLOWED", "Method not allowed."),
    413: ("TOO_LARGE", "The request body is too large."),
    415: ("WRONG_TYPE", "Content-Type must be application/json."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Try again later."),
    500: ("INTERNAL_ERROR", "Internal server error. See the server log for details."),
}
KEPT = ("Allow", "WWW-Authenticate", "Cache-Control", "Vary", "Retry-After")


def api_errors(get_response: Handler) -> Handler:
    """For /api/, return every error as JSON, including those for which Django returns a page."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = not response.headers.get("Content-Type", "").startswith("application/json")
        if request.path.startswith(API) and response.status_code in ERRORS and is_page:
            kept = {name: response.headers[name] for name in KEPT if name in response.headers}
            return error_response(response.status_code, *ERRORS[response.status_code], kept)
        return response

    return respond
