"""The API for programs: lists in pages, errors as JSON whatever goes wrong, every address of it closed to others."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from bulktranscribe.api.openapi import document
from jobs.models import Job, JobInput, JobPreset, Scope, Session, Upload
from jobs.uploads import resumable
from remoteworker.models import Worker
from review.models import Transcript
from tests.jobs.programs import Program


@pytest.fixture
def program(person: User) -> Program:
    return Program(person)


def pages(program: Program, url: str, name: str) -> Iterator[list[Any]]:
    cursor = ""
    while cursor is not None:
        answer = program.send(
            "GET", f"{url}{'&' if '?' in url else '?'}limit=2{cursor and f'&cursor={cursor}'}"
        )
        assert answer.status_code == 200, answer.content
        yield answer.json()[name]
        cursor = answer.json()["next"]


def test_a_session_is_created_renamed_read_and_listed(program: Program) -> None:
    made = program.send("POST", "/api/sessions", {"name": "  Valley "}).json()["session"]
    assert (made["name"], made["uploads"], made["jobs"]) == ("Valley", 0, 0)
    url = f"/api/sessions/{made['id']}"
    assert program.send("PATCH", url, {"name": "Mill"}).json()["session"]["name"] == "Mill"
    assert program.send("GET", url).json()["session"]["name"] == "Mill"
    for wrong in ({"name": ""}, {"name": " "}, {"name": "a\0b"}, {"name": "x" * 201}, {"name": 5}, {}, []):
        assert program.send("PATCH", url, wrong).status_code == 400


UNSTORABLE = ("1e999", "-1e999", "NaN", "-Infinity", r'"a\u0000b"', r'"a\ud800b"')


@pytest.mark.parametrize("value", UNSTORABLE)
@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "/api/presets", '{"name": "a", "options": {"model": %s}}'),
        ("POST", "/api/presets", '{"name": "a", "options": {"num_speakers": %s}}'),
        ("POST", "/api/presets", '{"name": %s, "options": {}}'),
        ("POST", "/api/sessions", '{"name": %s}'),
        ("PATCH", "/api/sessions/{session}", '{"name": %s}'),
        ("POST", "/api/sessions/{session}/jobs", '{"allNew": true, "hotwords": %s}'),
        ("POST", "/api/sessions/{session}/jobs", '{"allNew": true, "hallucinationSensitivity": %s}'),
        ("POST", "/api/sessions/{session}/jobs", '{"allNew": true, "numSpeakers": %s}'),
    ],
)
def test_what_no_database_can_hold_is_a_wrong_request(
    method: str, url: str, body: str, value: str, program: Program, session: Session
) -> None:
    answer = program.send(method, url.format(session=session.pk), (body % value).encode())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")
    assert (JobPreset.objects.count(), Session.objects.count()) == (0, 1)


def test_names_in_a_body_are_looked_at_and_no_depth_is_too_much(program: Program) -> None:
    body = rb'{"name": "a", "options": {"mo\u0000del": "base"}}'
    assert program.send("POST", "/api/presets", body).status_code == 400
    for depth in (600, 900, 5000):
        assert program.send("POST", "/api/presets", b"[" * depth + b"]" * depth).status_code == 400


def test_pages_follow_each_other_without_a_gap_while_rows_come_and_go(person: User, program: Program) -> None:
    at = timezone.now() - timedelta(hours=1)
    made = [
        Session.objects.create(owner=person, name=f"{number}", created_at=at + timedelta(seconds=number // 2))
        for number in range(7)
    ]
    seen = []
    for number, rows in enumerate(pages(program, "/api/sessions", "sessions")):
        seen += [row["id"] for row in rows]
        Session.objects.create(owner=person, name=f"later {number}")
        Session.objects.filter(pk=rows[-1]["id"]).delete()
    assert sorted(seen) == sorted(str(one.pk) for one in made)


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "limit=0", "limit=201", "limit=x", "cursor=" + "x" * 501]
)
def test_a_wrong_page_is_a_wrong_request(query: str, program: Program) -> None:
    answer = program.send("GET", f"/api/sessions?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_REQUEST")


def test_a_cursor_belongs_to_its_list(program: Program, job_of: Callable[..., Job]) -> None:
    job_of(files=2)
    job_of()
    cursor = program.send("GET", "/api/jobs?limit=1").json()["next"]
    assert program.send("GET", f"/api/sessions?cursor={cursor}").status_code == 400


def test_jobs_are_found_by_status_and_session(
    person: User, program: Program, session: Session, job_of: Callable[..., Job]
) -> None:
    first, second = job_of(files=3), job_of()
    JobInput.objects.filter(job=first).update(status="complete")
    Job.objects.filter(pk=first.pk).update(status="complete", ended_at=timezone.now())
    (row,) = program.send("GET", "/api/jobs?status=complete").json()["jobs"]
    assert (row["id"], row["files"], row["complete"], row["failed"]) == (str(first.pk), 3, 3, 0)
    other = Session.objects.create(owner=person, name="Empty")
    assert program.send("GET", f"/api/jobs?session={other.pk}").json()["jobs"] == []
    assert [row["id"] for row in program.send("GET", f"/api/jobs?session={session.pk}").json()["jobs"]] == [
        str(second.pk),
        str(first.pk),
    ]
    assert program.send("GET", "/api/jobs?status=happy").status_code == 400
    names = [row["name"] for rows in pages(program, f"/api/jobs/{first.pk}/inputs", "inputs") for row in rows]
    assert names == ["file-0.wav", "file-1.wav", "file-2.wav"]


def test_a_file_is_listed_read_and_downloaded(
    program: Program, session: Session, upload_of: Callable[..., Upload]
) -> None:
    upload = upload_of("mill.wav", b"RIFF-some-bytes")
    (row,) = program.send("GET", f"/api/sessions/{session.pk}/uploads").json()["uploads"]
    assert (row["sha256"], row["contentType"], row["isNew"]) == (upload.sha256, "audio/wav", True)
    assert program.send("GET", f"/api/uploads/{upload.pk}").json()["upload"] == row
    part = program.send("GET", row["mediaUrl"], Range="bytes=5-8")
    assert (part.status_code, part.getvalue()) == (206, b"some")


def test_a_file_comes_in_pieces_by_token(program: Program, session: Session) -> None:
    begin = {"Tus-Resumable": "1.0.0", "Upload-Length": "4", "Upload-Metadata": "filename bWlsbC53YXY="}
    begun = program.send("POST", f"/api/sessions/{session.pk}/incoming", **begin)
    piece = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "content_type": "application/offset+octet-stream",
    }
    url = begun["Location"].removeprefix("http://testserver")
    assert program.send("PATCH", url, b"RIFF", **piece).status_code == 204
    assert program.send("GET", url).json()["incoming"]["upload"]["name"] == "mill.wav"


def test_transcripts_are_listed_and_downloaded_in_every_format(
    program: Program, session: Session, job_input: JobInput
) -> None:
    Transcript.objects.create(job_input=job_input, language="en", duration=1.0)
    (row,) = program.send("GET", f"/api/sessions/{session.pk}/transcripts").json()["transcripts"]
    assert (row["id"], row["reviewStatus"]) == (str(job_input.pk), "new")
    exports = program.send("GET", f"/api/transcripts/{job_input.pk}/exports").json()["exports"]
    assert {"txt", "srt", "json"} <= {one["format"] for one in exports}
    for one in exports:
        answer = program.send("GET", one["url"])
        assert (answer.status_code, answer["Content-Type"]) == (200, one["contentType"])
    assert program.send("GET", f"/api/transcripts/{job_input.pk}/exports/exe").status_code == 404


def test_workers_say_what_they_offer_and_nothing_secret(program: Program, worker: Worker) -> None:
    answer = program.send("GET", "/api/workers")
    (row,) = answer.json()["workers"]
    assert (row["models"], row["connected"], row["capacity"]) == (["base"], True, 1)
    assert worker.url not in answer.content.decode() and worker.token not in answer.content.decode()


@pytest.mark.parametrize(
    ("method", "url", "body", "content_type", "status", "code"),
    [
        ("GET", "/api/nothing", b"", "", 404, "NOT_FOUND"),
        ("GET", "/api/sessions/nonsense", b"", "", 404, "NOT_FOUND"),
        ("PUT", "/api/sessions", b"{}", "application/json", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/sessions", b"{}", "text/plain", 415, "WRONG_TYPE"),
        ("POST", "/api/sessions", b"{", "application/json", 400, "INVALID_REQUEST"),
        ("POST", "/api/sessions", b'{"name": "\\ud800"}', "application/json", 400, "INVALID_REQUEST"),
        ("POST", "/api/sessions", b"[" * 100_000, "application/json", 400, "INVALID_REQUEST"),
        ("POST", "/api/sessions", b"\xff", "application/json", 400, "INVALID_REQUEST"),
        ("POST", "/api/sessions", b" " * 3_000_000, "application/json", 413, "TOO_LARGE"),
    ],
)
def test_every_error_is_json_with_a_code(
    method: str, url: str, body: bytes, content_type: str, status: int, code: str, program: Program
) -> None:
    answer = program.send(method, url, body, content_type=content_type)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_a_mistake_of_ours_is_json_too(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.api.pagination.page", lambda *args, **kwargs: 1 / 0)
    program.client.raise_request_exception = False
    answer = program.send("GET", "/api/sessions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")


# Nobody else's ---------------------------------------------------------------------------------------


BODIES: dict[str, Any] = {
    "post_session": {"name": "x"},
    "patch_session": {"name": "x"},
    "post_job": {"uploadIds": ["c0ffee00-0000-4000-8000-000000000000"], "model": "base"},
    "post_job_rerun": {},
    "post_edits": {"baseVersion": 0, "edits": []},
    "post_presence": {"client": "c0ffee00-0000-4000-8000-000000000000"},
    "post_version": {"name": "x"},
    "post_preset": {"name": "x", "options": {}},
}
OF_NOBODY = ("/api/sessions", "/api/jobs", "/api/workers")


def operations() -> list[tuple[str, str, Any]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def call(program: Program, method: str, path: str, operation: Any, ids: dict[str, str]) -> Any:
    kind = path.split("/")[2]
    url = path.replace("{pk}", ids.get(kind, "")).replace("{format}", "txt").replace("{rid}", "1")
    if operation["operationId"] == "post_uploads":
        file = {"files": [SimpleUploadedFile("mill.wav", b"RIFF")]}
        return program.client.post(url, file, headers={"Authorization": f"Bearer {program.secret}"})
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"} if "incoming" in path else {}
    return program.send(method, url, BODIES.get(operation["operationId"]), **tus)


@pytest.fixture
def ids(job_input: JobInput) -> dict[str, str]:
    """Something of `person` of every kind."""
    Transcript.objects.create(job_input=job_input)
    session = job_input.job.session
    begun = resumable.begin(session, "mill.wav", "", 100)
    found = {"sessions": session.pk, "jobs": job_input.job_id, "inputs": job_input.pk, "incoming": begun.pk}
    found |= {"uploads": job_input.upload_id, "transcripts": job_input.pk}
    found["presets"] = JobPreset.objects.create(owner=session.owner, name="Interviews").pk
    return {kind: str(pk) for kind, pk in found.items()}


@pytest.mark.parametrize("whose", ["a stranger's", "for another session"])
def test_a_token_that_is_not_for_it_finds_nothing_at_any_operation(
    whose: str, person: User, stranger: User, ids: dict[str, str]
) -> None:
    other = Session.objects.create(owner=person, name="Other")
    program = Program(stranger) if whose == "a stranger's" else Program(person, session=other)
    asked = 0
    for method, path, operation in operations():
        if "{pk}" in path:
            answer = call(program, method, path, operation, ids)
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
            asked += 1
    assert asked >= 35
    assert Job.objects.get().status == "queued"
    assert Job.objects.count() == Upload.objects.count() == 1
    for path in ("/api/sessions", "/api/jobs"):
        told = json.dumps(program.send("GET", path).json())
        assert not [pk for pk in ids.values() if pk in told], "lists show nothing of it either"


def test_a_token_without_the_scope_is_refused_at_every_operation(person: User, ids: dict[str, str]) -> None:
    for method, path, operation in operations():
        scope = Scope(operation["x-scope"])
        program = Program(person, [one for one in Scope if one is not scope])
        answer = call(program, method, path, operation, ids)
        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
        program.token.delete()
    assert Job.objects.get().status == "queued"


def test_without_a_token_every_operation_wants_one(ids: dict[str, str], program: Program) -> None:
    program.secret = "bt_gone"
    for method, path, operation in operations():
        assert call(program, method, path, operation, ids).status_code == 401, f"{method} {path}"


def test_every_operation_that_writes_says_what_scope_it_needs() -> None:
    silent = [
        path
        for method, path, one in operations()
        if method not in ("GET", "HEAD") and one["x-scope"] == "read"
    ]
    assert not silent
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)


def test_the_page_of_the_api_shows_every_operation_without_scripts(db: None) -> None:
    page = Client().get("/api/docs").content.decode()
    assert all(f'id="{operation["operationId"]}"' in page for _, _, operation in operations())
    assert Client().get("/api/openapi.json").json() == json.loads(json.dumps(document()))
