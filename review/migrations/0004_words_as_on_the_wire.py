"""Words become [text, start, end, probability, estimated, gap]: the page's state is put together from them as they are."""

import math
from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AT_A_TIME = 500


def to_wire(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    rewrite(apps, from_dicts)


def to_dicts(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    rewrite(apps, lambda words: [to_dict(*word) for word in words])


def rewrite(apps: Apps, change: Any) -> None:
    segments = apps.get_model("review", "Segment").objects
    last = 0
    while rows := list(segments.filter(pk__gt=last).order_by("pk").only("pk", "words")[:AT_A_TIME]):
        for row in rows:
            row.words = change(row.words)
        segments.bulk_update(rows, ["words"], batch_size=100)
        last = rows[-1].pk


def from_dicts(words: list[Any]) -> list[list[Any]]:
    """As review.serializers did it when this was written."""
    made: list[list[Any]] = []
    for word in words:
        text = word["word"].strip()
        if text:
            gap = " " if made and word["word"][:1].isspace() else ""
            numbers = [rounded(word[name]) for name in ("start", "end", "probability")]
            made.append([text, *numbers, 1 if word.get("estimated") else 0, gap])
    return made


def rounded(number: float) -> float:
    return math.floor(number * 1000 + 0.5) / 1000


def to_dict(
    text: str, start: float, end: float, probability: float, estimated: int, gap: str
) -> dict[str, Any]:
    word = {"word": gap + text, "start": start, "end": end, "probability": probability}
    return {**word, "estimated": True} if estimated else word


class Migration(migrations.Migration):
    dependencies = [("review", "0003_unchecked_seconds")]
    operations = [migrations.RunPython(to_wire, to_dicts)]
