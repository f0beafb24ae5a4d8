"""API tokens: made, seen once, used within their scopes, revoked."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from gpu_worker.shared.json_logs import JsonFormatter
from jobs.models import ApiToken, Job, JobInput, Scope, Session, Upload
from tests.jobs.programs import Program


def test_a_token_is_made_seen_once_used_and_revoked(browser: Client, session: Session) -> None:
    form = {"name": "Archive", "scopes": ["read", "upload"], "session": "", "days": "30"}
    page = browser.post("/settings/tokens/", form).content.decode()
    secret = page.split('value="bt_')[1].split('"')[0]
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.session) == ("Archive", ["read", "upload"], None)
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    assert secret not in browser.get("/settings/tokens/").content.decode()
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)
    headers = {"Authorization": f"Bearer bt_{secret}"}
    client = Client()
    assert client.get(f"/api/sessions/{session.pk}", headers=headers).status_code == 200
    assert "Last used" in browser.get("/settings/tokens/").content.decode()
    assert browser.post(f"/settings/tokens/{token.pk}/revoke").status_code == 302
    assert client.get(f"/api/sessions/{session.pk}", headers=headers).status_code == 401


def test_a_wrong_form_makes_no_token(browser: Client, stranger: User) -> None:
    theirs = Session.objects.create(owner=stranger, name="Theirs")
    for form in (
        {"name": "x", "days": ""},
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": ["all"]},
        {"name": "x", "scopes": ["read"], "session": str(theirs.pk)},
        {"name": "a\0b", "scopes": ["read"]},
    ):
        assert browser.post("/settings/tokens/", form).status_code == 400
    assert not ApiToken.objects.exists()


def test_nobody_makes_tokens_without_end(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.api.tokens.MOST", 1)
    form = {"name": "x", "scopes": ["read"]}
    assert [browser.post("/settings/tokens/", form).status_code for _ in range(2)] == [200, 400]
    assert ApiToken.objects.count() == 1


def test_a_stranger_cannot_revoke_a_token_or_see_it(person: User, stranger: User) -> None:
    program, client = Program(person), Client()
    client.force_login(stranger)
    assert client.post(f"/settings/tokens/{program.token.pk}/revoke").status_code == 404
    assert program.token.hint not in client.get("/settings/tokens/").content.decode()
    assert program.send("GET", "/api/sessions").status_code == 200


@pytest.mark.parametrize("given", ["bt_" + "x" * 43, "bt_", "nonsense", "bt_\u00fc", "", "bt_" + "x" * 9999])
def test_what_is_no_token_opens_nothing_whatever_cookies_say(given: str, browser: Client) -> None:
    response = browser.get("/api/sessions", headers={"Authorization": f"Bearer {given}"})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "NOT_SIGNED_IN")


def test_an_expired_token_and_that_of_a_locked_person_open_nothing(person: User) -> None:
    expired = Program(person, expires_at=timezone.now() - timedelta(seconds=1))
    assert expired.send("GET", "/api/sessions").status_code == 401
    locked = Program(person)
    User.objects.update(is_active=False)
    assert locked.send("GET", "/api/sessions").status_code == 401


def test_the_last_use_is_written_once_a_minute(person: User, django_assert_num_queries: Any) -> None:
    program = Program(person)
    program.send("GET", "/api/workers")
    used = ApiToken.objects.get().last_used_at
    assert used is not None
    program.send("GET", "/api/workers")
    assert ApiToken.objects.get().last_used_at == used
    ApiToken.objects.update(last_used_at=used - timedelta(minutes=2))
    program.send("GET", "/api/workers")
    assert ApiToken.objects.get().last_used_at >= used


def test_a_token_needs_no_csrf_and_cookies_always_do(person: User) -> None:
    assert Program(person).send("POST", "/api/sessions", {"name": "By a program"}).status_code == 201
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    body = json.dumps({"name": "By a page"})
    refused = client.post("/api/sessions", body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_ALLOWED")
    refused = client.post(f"/api/sessions/{Session.objects.get().pk}/incoming")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NOT_ALLOWED")


def test_a_token_opens_no_page(person: User, session: Session) -> None:
    program = Program(person)
    for url in ("/", f"/sessions/{session.pk}/", "/settings/tokens/", "/admin/"):
        assert program.send("GET", url).status_code == 302


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_does_what_its_scope_says_and_nothing_else(
    scope: Scope, person: User, job_of: Callable[..., Job]
) -> None:
    job = job_of()
    program = Program(person, [scope])
    begin = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    answers = {
        Scope.READ: program.send("GET", f"/api/jobs/{job.pk}"),
        Scope.UPLOAD: program.send("POST", f"/api/sessions/{job.session_id}/incoming", **begin),
        Scope.JOBS: program.send("POST", f"/api/jobs/{job.pk}/cancel"),
        Scope.EDIT: program.send("POST", f"/api/transcripts/{job.pk}/edits", {"baseVersion": 0, "edits": []}),
    }
    for asked, answer in answers.items():
        if asked is scope:
            assert answer.status_code in (200, 201, 404), answer.content
        else:
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (403, "MISSING_SCOPE")
            assert f"“{asked.value}”" in error["message"]


def test_a_token_for_one_session_sees_no_other(person: User, session: Session, upload_of: Any) -> None:
    other = Session.objects.create(owner=person, name="Other")
    upload_of()
    program = Program(person, session=other)
    assert [row["name"] for row in program.send("GET", "/api/sessions").json()["sessions"]] == ["Other"]
    assert program.send("GET", f"/api/sessions/{session.pk}").status_code == 404
    assert program.send("GET", f"/api/uploads/{Upload.objects.get().pk}").status_code == 404
    assert program.send("GET", f"/api/jobs?session={session.pk}").status_code == 404
    refused = program.send("POST", "/api/sessions", {"name": "Third"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "CONFINED_TOKEN")


def test_a_token_is_in_no_log_line(person: User, caplog: pytest.LogCaptureFixture) -> None:
    program = Program(person)
    record = logging.makeLogRecord(
        {"msg": "got %s", "args": (program.secret,), "path": f"/x?t={program.secret}"}
    )
    assert program.secret not in JsonFormatter().format(record)
    with caplog.at_level(logging.DEBUG):
        program.send("GET", "/api/nothing")
    assert all(program.secret not in JsonFormatter().format(one) for one in caplog.records)


def test_who_acts_by_a_token_is_named_as_its_owner(person: User, job_of: Callable[..., Job]) -> None:
    job = job_of()
    assert Program(person).send("POST", f"/api/jobs/{job.pk}/cancel").status_code == 200
    assert JobInput.objects.get().events.get().actor == "anna"
