"""The whole transcript as JSON for the page, like `versions.state` but without parsing 100,000 words.

Words and flags are stored in wire format; their text is inserted unchanged.
"""

import json
from collections.abc import Iterator

from django.db.models import TextField
from django.db.models.functions import Cast

from review.models import Transcript
from review.serializers import SEGMENT_FIELDS, segment_row
from review.storage import versions

AS_THEY_ARE = ("words", "flags")
PARSED = tuple(name for name in SEGMENT_FIELDS if name not in AS_THEY_ARE)
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def state_json(transcript: Transcript) -> bytes:
    """Return the state as UTF-8."""
    segments = ",".join(_segments(transcript))
    return f'{encode(versions.heading(transcript).wire())[:-1]},"segments":[{segments}]}}'.encode()


def _segments(transcript: Transcript) -> Iterator[str]:
    speakers = {pk: str(key) for pk, key in transcript.speakers.values_list("pk", "key")}
    texts = [Cast(name, TextField()) for name in AS_THEY_ARE]
    for *values, words, flags in transcript.segments.order_by("rank").values_list(*PARSED, *texts):
        columns = dict(zip(PARSED, values, strict=True))
        row = encode(segment_row(columns, speakers.get(columns["speaker"])))
        yield f'{row[:-1]},"words":{words},"flags":{flags}}}'
