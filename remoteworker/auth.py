"""Authentication of workers by bearer token, compared in constant time."""

import hmac

from django.http import HttpRequest

from remoteworker.models import Worker


class Unauthenticated(Exception):
    """No Authorization header: 401."""


class UnknownToken(Exception):
    """A token of no worker: 403."""


def workers_of(request: HttpRequest) -> list[Worker]:
    """Return the workers that hold the request's token (a fleet may share one).

    Raises Unauthenticated, UnknownToken.
    """
    header = request.headers.get("Authorization", "")
    if not header:
        raise Unauthenticated
    scheme, _, presented = header.partition(" ")
    presented = presented.strip()
    matches = [worker for worker in Worker.objects.all() if _equal(worker.token, presented)]
    if scheme.lower() != "bearer" or not presented or not matches:
        raise UnknownToken
    return matches


def _equal(known: str, presented: str) -> bool:
    return bool(known) and hmac.compare_digest(known.encode(), presented.encode())
