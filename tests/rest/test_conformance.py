"""The API held against its OpenAPI document: thousands of requests that schemathesis thinks of, good and bad ones.

No 5xx, no status that is not described, no answer in another form than promised. `make test-api`.
"""

from collections import Counter
from typing import Any
from uuid import uuid4
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from bulktranscribe.api.openapi import document
from tests.rest.installation import Served

pytestmark = pytest.mark.api
CASES = 3000
TOLD = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)


@schemathesis.serializer("application/offset+octet-stream")
def piece(ctx: Any, value: Any) -> Any:
    """A piece of a file goes as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


asked: Counter[str] = Counter()
schema = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def ids(served: Served) -> dict[str, str]:
    """Something of every kind; then web alone stays, so that nothing moves meanwhile."""
    found = served.transcribed()
    preset = served.call("POST", "/api/presets", json={"name": "Interviews", "options": {}})
    found["presets"] = preset.json()["preset"]["id"]
    version = {"name": "As it came"}
    assert served.call("POST", f"/api/transcripts/{found['transcripts']}/revisions", json=version).ok
    for name in ("celery", "worker"):
        process = served.processes.pop(name)
        process.terminate()
        process.wait(30)
    return found


@schema.parametrize()
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_answered_is_what_is_described(case: Any, served: Served, ids: dict[str, str]) -> None:
    place_on_something_real(case, served, ids)
    asked[case.operation.label] += 1
    case.call_and_validate(
        base_url=served.url,
        session=served.program,
        headers={"Authorization": f"Bearer {served.secret}"},
        checks=list(TOLD),
    )
    bring_back(case, served, ids)


def bring_back(case: Any, served: Served, ids: dict[str, str]) -> None:
    """What was deleted is there again for the next request."""
    kind = case.path.split("/")[2]
    deleted = (case.path_parameters or {}).get("pk") if case.method == "DELETE" else None
    if deleted is None or deleted != ids.get(kind):
        return
    if kind == "presets":
        made = served.call("POST", "/api/presets", json={"name": "Interviews", "options": {}})
        ids[kind] = made.json()["preset"]["id"]
    else:
        served.call("POST", f"/api/{kind}/{ids[kind]}/restore")


def place_on_something_real(case: Any, served: Served, ids: dict[str, str]) -> None:
    """Most ids that are made up lead nowhere: three of four become those of something that is there."""
    given = case.path_parameters or {}
    if "pk" not in given or not crc32(repr((given, case.body, case.query)).encode("utf-8", "replace")) % 4:
        return
    kind = case.path.split("/")[2]
    real = {**given, "pk": begun(served, ids["sessions"]) if kind == "incoming" else ids[kind]}
    if "rid" in given:
        real["rid"] = 1
    if "format" in given:
        real["format"] = "srt"
    case.path_parameters = real


def begun(served: Served, session: str) -> str:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    answer = served.call("POST", f"/api/sessions/{session}/incoming", headers=headers)
    return answer.headers["Location"].rsplit("/", 1)[1] if answer.ok else str(uuid4())


def test_many_requests_were_made_at_every_operation() -> None:
    operations = sum(len(methods) for methods in document()["paths"].values())
    print(f"{sum(asked.values())} requests at {len(asked)} operations")
    assert sum(asked.values()) >= CASES
    assert len(asked) == operations
