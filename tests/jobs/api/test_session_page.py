"""The JSON of the session page, and the pages without JavaScript."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from jobs.models import (
    ApiToken,
    Delivery,
    Job,
    JobInput,
    JobPreset,
    NoticeEvent,
    Session,
    Upload,
    Webhook,
)
from jobs.statuses import Event
from jobs.uploads import resumable


def post(client: Client, url: str, body: Any = None) -> Any:
    return client.post(url, json.dumps(body or {}), content_type="application/json")


def order(uploads: list[Upload], **changes: Any) -> dict[str, Any]:
    return {"uploadIds": [str(upload.pk) for upload in uploads], "model": "base", **changes}


def test_upload_start_and_state(browser: Client, session: Session) -> None:
    files = [SimpleUploadedFile("mill.wav", b"RIFF"), SimpleUploadedFile("flood.mp3", b"ID3")]
    answer = browser.post(f"/api/sessions/{session.pk}/uploads", {"files": files}).json()
    assert [row["name"] for row in answer["uploads"]] == ["mill.wav", "flood.mp3"]
    upload = Upload.objects.get(name="mill.wav")
    assert upload.path.read_bytes() == b"RIFF"
    made = post(browser, f"/api/sessions/{session.pk}/jobs", order([upload], speakers="exact", numSpeakers=2))
    assert (made.status_code, made.json()["job"]["inputs"][0]["statusText"]) == (
        201,
        "Waiting for an available worker",
    )
    options = Job.objects.get().worker_options()
    assert (options.diarization_enabled, options.num_speakers, options.min_speakers) == (True, 2, None)
    state = browser.get(f"/api/sessions/{session.pk}/state").json()
    assert [(row["name"], row["isNew"]) for row in state["uploads"]] == [
        ("flood.mp3", True),
        ("mill.wav", False),
    ]
    assert state["totals"]["waiting"] == 1


def test_an_unchanged_state_is_304(browser: Client, job_of: Callable[..., Job], session: Session) -> None:
    job_of()
    url = f"/api/sessions/{session.pk}/state"
    first = browser.get(url)
    assert browser.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    JobInput.objects.update(percent=12.0)
    Session.note_change(pk=session.pk)
    assert browser.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "gigantic"}, "UNKNOWN_MODEL"),
        ({"language": "klingon"}, "UNKNOWN_LANGUAGE"),
        ({"speakers": "some"}, "INVALID_OPTION"),
        ({"uploadIds": []}, "NO_FILES"),
        ({"uploadIds": ["c0ffee00-0000-4000-8000-000000000000"]}, "UNKNOWN_UPLOAD"),
        ({"uploadIds": ["nonsense"]}, "INVALID_REQUEST"),
        ({"speed": "fast"}, "INVALID_REQUEST"),
        ({"speakers": "exact", "numSpeakers": 1000}, "INVALID_OPTION"),
    ],
)
def test_a_wrong_order_gets_its_code_and_makes_nothing(
    changes: dict[str, Any], code: str, browser: Client, session: Session, upload_of: Callable[..., Upload]
) -> None:
    response = post(browser, f"/api/sessions/{session.pk}/jobs", order([upload_of()], **changes))
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert not Job.objects.exists()


def test_an_empty_file_is_named_and_its_neighbour_kept(browser: Client, session: Session) -> None:
    files = [SimpleUploadedFile("empty.wav", b""), SimpleUploadedFile("good.wav", b"RIFF")]
    answer = browser.post(f"/api/sessions/{session.pk}/uploads", {"files": files}).json()
    assert answer["refused"][0]["name"] == "empty.wav"
    assert answer["refused"][0]["error"]["code"] == "UPLOAD_EMPTY"
    assert [row["name"] for row in answer["uploads"]] == ["good.wav"]


def test_a_full_disk_refuses_with_a_sentence_and_keeps_nothing(
    browser: Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(django_settings, "MIN_FREE_DISK_MB", 10**9)
    files = [SimpleUploadedFile("good.wav", b"RIFF")]
    answer = browser.post(f"/api/sessions/{session.pk}/uploads", {"files": files}).json()
    assert answer["refused"][0]["error"]["code"] == "DISK_FULL"
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\sounds\\mill.wav", "mill.wav"),
        ("a\x00b\n.wav", "ab.wav"),
        ("مقابلة 采访 🎙.mp3", "مقابلة 采访 🎙.mp3"),
        ("x" * 5000 + ".mp3", "x" * 251 + ".mp3"),
        ("...", "..."),
    ],
)
def test_names_are_shown_and_never_used_on_disk(
    name: str, shown: str, upload_of: Callable[..., Upload]
) -> None:
    upload = upload_of(name)
    assert upload.name == shown
    assert upload.path.name == upload.pk.hex


def test_cancel_and_retry_answer_with_the_job_and_409_when_too_late(
    browser: Client, job_of: Callable[..., Job]
) -> None:
    job = job_of()
    entry = job.inputs.get()
    canceled = post(browser, f"/api/jobs/{job.pk}/cancel")
    assert (canceled.status_code, canceled.json()["job"]["status"]) == (200, "canceled")
    assert post(browser, f"/api/jobs/{job.pk}/cancel").status_code == 409
    assert post(browser, f"/api/inputs/{entry.pk}/retry").json()["job"]["status"] == "queued"
    assert post(browser, f"/api/inputs/{entry.pk}/cancel").status_code == 200
    assert post(browser, f"/api/jobs/{job.pk}/retry").json()["job"]["status"] == "queued"


def test_a_failed_file_says_its_code_sentence_and_remedy(browser: Client, job_of: Callable[..., Job]) -> None:
    job = job_of()
    entry = job.inputs.get()
    error = {
        "code": "REMOTE_JOB_NOT_FOUND",
        "message": "Remote worker restarted or job expired; please retry.",
    }
    for event in (Event.CLAIMED, Event.ACCEPTED):
        entry.move_to(event, actor="c")
    entry.move_to(Event.LOST, actor="c", remote_last_error=error, **error)
    row = browser.get(f"/api/jobs/{job.pk}").json()["job"]["inputs"][0]
    assert (row["error"]["code"], row["error"]["message"]) == (error["code"], error["message"])
    assert row["error"]["hint"]
    assert (row["remote"]["lastError"], row["canRetry"]) == (error, True)
    assert browser.get(f"/api/jobs/{job.pk}").json()["job"]["percent"] == 100, "the job is past it"


def test_the_api_wants_a_sign_in_and_a_csrf_token(session: Session, person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get(f"/api/sessions/{session.pk}/state").status_code == 401
    client.force_login(person)
    assert client.get(f"/api/sessions/{session.pk}/state").status_code == 200
    assert (
        post(client, f"/api/sessions/{session.pk}/jobs", {"uploadIds": [], "model": "base"}).status_code
        == 403
    )


def every_route(patterns: Any = None, prefix: str = "") -> list[str]:
    found: list[str] = []
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += every_route(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            found.append(route.replace("<uuidstr:", "<uuid:"))
    return found


def test_a_stranger_finds_nothing_at_any_address_of_a_session(
    stranger: User, job_of: Callable[..., Job]
) -> None:
    job = job_of()
    entry = job.inputs.get()
    ids = {"sessions": job.session_id, "jobs": job.pk, "inputs": entry.pk, "uploads": entry.upload_id}
    ids["transcripts"] = entry.pk
    ids["presets"] = JobPreset.objects.create(owner=job.session.owner, name="Interviews").pk
    ids["tokens"] = ApiToken.objects.create(owner=job.session.owner, name="Script", digest="0").pk
    ids["incoming"] = resumable.begin(job.session, "mill.wav", "", 100).pk
    hook = Webhook.objects.create(owner=job.session.owner, url="https://a.example/")
    ids["webhooks"] = hook.pk
    ids["deliveries"] = Delivery.objects.create(owner=hook.owner, webhook=hook, event=NoticeEvent.PING).pk
    owned = [r for r in every_route() if "uuid:pk" in r and not r.startswith("admin")]
    assert len(owned) >= 20
    client = Client()
    client.force_login(stranger)
    for route in owned:
        kind = next(name for name in ids if f"{name}/<uuid:pk>" in route)
        url = "/" + route.replace("<uuid:pk>", str(ids[kind])).replace("<slug:format>", "txt")
        if route.endswith("uploads"):
            posted = client.post(url, {"files": [SimpleUploadedFile("mill.wav", b"RIFF")]})
        else:
            posted = post(client, url, order([entry.upload]))
        answers = {client.get(url).status_code, posted.status_code, client.delete(url).status_code}
        assert 404 in answers, url
        assert answers <= {404, 405}, url
    job.refresh_from_db()
    assert job.status == "queued"
    assert Job.objects.count() == 1


def test_without_javascript_one_can_upload_start_cancel_and_retry(browser: Client) -> None:
    page = browser.post("/", {"name": "Interviews"})
    session = Session.objects.get()
    assert page["Location"] == f"/sessions/{session.pk}/"
    browser.post(f"/sessions/{session.pk}/uploads", {"files": [SimpleUploadedFile("mill.wav", b"RIFF")]})
    upload = Upload.objects.get()
    form = {"uploads": [str(upload.pk)], "model": "base", "language": "", "speakers": "auto"}
    assert browser.post(f"/sessions/{session.pk}/start", form).status_code == 302
    job = Job.objects.get()
    browser.post(f"/jobs/{job.pk}/cancel")
    assert Job.objects.get().status == "canceled"
    browser.post(f"/jobs/{job.pk}/retry")
    assert Job.objects.get().status == "queued"
    html = browser.get(f"/sessions/{session.pk}/").content.decode()
    assert "mill.wav" in html
    assert "Waiting for an available worker" in html


def test_a_wrong_form_comes_back_with_its_error(
    browser: Client, session: Session, upload_of: Callable[..., Upload]
) -> None:
    response = browser.post(f"/sessions/{session.pk}/start", {"model": "base"})
    assert response.status_code == 400
    assert "Select at least one file." in response.content.decode()
    assert not Job.objects.exists()
    bad = {"uploads": [str(upload_of().pk)], "model": "tiny.en", "language": "de"}
    assert "supports English only" in browser.post(f"/sessions/{session.pk}/start", bad).content.decode()


def test_the_gpu_toggle_is_there_in_mode_optional_only(
    browser: Client, session: Session, settings: Any
) -> None:
    settings.REMOTE_WORKER_URL = ["https://gpu.example"]
    for mode, shown in (("off", False), ("optional", True), ("required", False)):
        settings.REMOTE_WORKER_MODE = mode
        assert ("Run on GPU" in browser.get(f"/sessions/{session.pk}/").content.decode()) is shown


@pytest.mark.parametrize(
    ("mode", "toggle", "place"),
    [
        ("off", True, "local"),
        ("optional", True, "remote"),
        ("optional", False, "local"),
        ("required", False, "remote"),
    ],
)
def test_a_job_says_where_it_runs_now(
    mode: str, toggle: bool, place: str, browser: Client, job_of: Callable[..., Job], settings: Any
) -> None:
    job = job_of(use_remote=toggle)
    settings.REMOTE_WORKER_MODE = mode
    assert browser.get(f"/api/jobs/{job.pk}").json()["job"]["runsOn"] == place


def test_the_pages_send_strangers_to_the_sign_in(session: Session) -> None:
    for url in ("/", f"/sessions/{session.pk}/"):
        response = Client().get(url)
        assert (response.status_code, response["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_a_jobs_status_agrees_with_its_files_in_one_answer(
    browser: Client, job_of: Callable[..., Job]
) -> None:
    job = job_of()
    JobInput.objects.update(
        status="complete"
    )  # as if another process had committed after the job's row was read
    answer = browser.get(f"/api/jobs/{job.pk}").json()["job"]
    assert (answer["status"], answer["canCancel"]) == ("complete", False)
