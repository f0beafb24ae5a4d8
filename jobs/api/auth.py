"""Who may call an operation of the API: somebody signed in (cookies, with CSRF), or a token with its scope."""

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.utils import check_csrf

from jobs import access
from jobs.models import Scope

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Needs:
    """What an operation asks of a token. Those that only read need not say it; a write that says nothing takes none.

    It is asked before anything is looked for, so that the answer tells nothing of what there is.
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
