"""Authentication of API operations: signed-in users (cookies with CSRF) or tokens with scopes."""

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.utils import check_csrf

from jobs import access
from jobs.models import Scope

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Needs:
    """The scope that an operation requires of a token. Optional for reads; writes that declare none accept no tokens.

    It is checked before anything is looked up, so that the response does not reveal what exists.
    """

    scope: Scope | None = None

    def __call__(self, request: HttpRequest) -> access.Person | None:
        if not request.user.is_authenticated:
            return None
        if check_csrf(request):
            raise HttpError(
                403, "The CSRF token is missing or invalid. Requests with cookies must send X-CSRFToken."
            )
        scope = self.scope or (Scope.READ if request.method in SAFE else None)
        if scope is not None:
            access.check_scope(request.user, scope)
        elif access.token_of(request.user):
            raise HttpError(403, "This operation is available on the website only, not to API tokens.")
        return request.user
