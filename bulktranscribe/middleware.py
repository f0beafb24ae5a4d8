"""What every answer carries."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

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
    """Forbid inline scripts, other origins and framing on every page.

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
