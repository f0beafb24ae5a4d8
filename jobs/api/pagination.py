"""Cursor pagination: pages start after a row, so that concurrent changes neither repeat nor skip rows."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from ninja.errors import HttpError
from pydantic import Field

MOST = 200
Limit = Annotated[int, Field(ge=1, le=MOST, description="maximum number of items")]
Cursor = Annotated[str | None, Field(max_length=500, description="`next` from the previous page")]
Row = TypeVar("Row", bound=Model)


def page(
    rows: QuerySet[Row], cursor: str | None, limit: int, *, by: str = "created_at", newest: bool = True
) -> tuple[list[Row], str | None]:
    """Return up to `limit` rows in the order of `by` and of their ids, and the cursor of the next page.

    Raises HttpError 400 for a cursor of a different list.
    """
    name = f"{rows.model.__name__}.{by}.{newest}"
    sign, than = ("-", "lt") if newest else ("", "gt")
    if cursor is not None:
        value, pk = _read(cursor, name)
        rows = rows.filter(Q(**{f"{by}__{than}": value}) | Q(**{by: value, f"pk__{than}": pk}))
    found = list(rows.order_by(f"{sign}{by}", f"{sign}pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _write(found[limit - 1], by, name)


def _write(row: Model, by: str, name: str) -> str:
    value = getattr(row, by)
    written = value.isoformat() if isinstance(value, datetime) else value
    return signing.Signer(salt="cursor").sign_object([name, written, str(row.pk)])


def _read(cursor: str, name: str) -> tuple[Any, str]:
    """Cursors are signed and cannot be forged."""
    try:
        of, value, pk = signing.Signer(salt="cursor").unsign_object(cursor)
    except (signing.BadSignature, ValueError):
        raise HttpError(400, "cursor: not valid for this list.") from None
    if of != name:
        raise HttpError(400, "cursor: not valid for this list.")
    return value, pk
