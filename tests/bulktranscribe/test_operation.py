"""Logs, health, headers, admin."""

import json
import logging
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gpu_worker.shared.json_logs import JsonFormatter
from jobs.models import Job, JobInput
from jobs.statuses import Event
from remoteworker import clock
from remoteworker.models import Attempt, Tick, Worker
from tests.conftest import WORKER_TOKEN


def line(event: str, **extra: Any) -> str:
    record = logging.makeLogRecord({"name": "jobs", "levelname": "INFO", "msg": event, **extra})
    return JsonFormatter().format(record)


def test_a_log_line_is_one_json_object_with_its_fields() -> None:
    said = json.loads(line("dispatch", worker="box", attempt=2))
    assert (said["event"], said["level"], said["worker"], said["attempt"]) == ("dispatch", "info", "box", 2)


def test_both_sides_write_the_same_keys() -> None:
    try:
        raise ValueError("sig=abcdef0123456789")
    except ValueError:
        record = logging.makeLogRecord({"name": "x", "exc_info": sys.exc_info(), "msg": "odd"})
    controller, worker = (
        json.loads(JsonFormatter(exception_texts=texts).format(record)) for texts in (True, False)
    )
    assert list(controller) == list(worker) == ["time", "level", "logger", "event", "traceback"]
    assert controller["traceback"][-1] == "ValueError: sig=…"
    assert worker["traceback"][-1] == "ValueError"


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/jobs/x/inputs/y?expires=5&sig=abcdef0123456789",
        "Authorization: Bearer abcdef0123456789",
        "Not Found: /sessions/abcdef01-2345-6789-abcd-ef0123456789/",
        "GET /sign-in/1/abcdef0123456789/",
    ],
)
def test_secrets_are_blotted_out_of_whatever_is_logged(text: str) -> None:
    assert "abcdef01" not in line(text)
    assert "abcdef01" not in line("odd", path=text)


def test_health_is_red_without_ticks_and_green_with_them(db: None) -> None:
    client = Client()
    red = client.get("/healthz")
    assert (red.status_code, "no tick" in red.json()["checks"]["ticks"]) == (503, True)
    clock.follow("dispatch_queued")
    assert client.get("/healthz").json() == {
        "status": "ok",
        "checks": {"ticks": "ok", "attempts": "ok", "disk": "ok"},
    }
    for seconds in (-16, 16):  # ahead: the clock went back, and no tick has come since
        Tick.objects.update(at=timezone.now() + timedelta(seconds=seconds))
        assert client.get("/healthz").status_code == 503


def test_health_is_red_when_an_attempt_is_overdue_or_the_disk_is_full(
    attempt: Attempt, settings: Any
) -> None:
    clock.follow("dispatch_queued")
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=61))
    assert Client().get("/healthz").json()["checks"]["attempts"].startswith("1 overdue")
    settings.MIN_FREE_DISK_MB = 10**9
    assert "MB free" in Client().get("/healthz").json()["checks"]["disk"]


def test_every_page_forbids_inline_scripts_and_framing(browser: Client, db: None) -> None:
    for url in ("/", "/accounts/login/", "/healthz", "/nowhere"):
        response = browser.get(url)
        assert "default-src 'self'" in response["Content-Security-Policy"]
        assert "unsafe-inline" not in response["Content-Security-Policy"]
        assert response["X-Content-Type-Options"] == "nosniff"


@pytest.fixture
def cli_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("chief"))
    return client


def test_every_list_and_row_of_the_admin_opens_and_can_be_searched(
    cli_client: Client, attempt: Attempt, job_input: JobInput
) -> None:
    for model, model_admin in site._registry.items():
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert cli_client.get(url).status_code == 200, url
        if model_admin.search_fields:
            assert cli_client.get(url, {"q": "mill"}).status_code == 200, url
        row = model._default_manager.first()
        if row is not None:
            assert cli_client.get(f"{url}{row.pk}/change/").status_code == 200, url


@pytest.mark.parametrize("model", ["job", "jobinput", "attempt"])
def test_the_admin_retries_and_cancels(
    model: str, cli_client: Client, attempt: Attempt, job_input: JobInput
) -> None:
    app = "remoteworker" if model == "attempt" else "jobs"
    pk = {"job": job_input.job_id, "jobinput": job_input.pk, "attempt": attempt.pk}[model]

    def act(action: str) -> None:
        answer = cli_client.post(f"/admin/{app}/{model}/", {"action": action, "_selected_action": [str(pk)]})
        assert answer.status_code == 302
        job_input.refresh_from_db()

    act("cancel")
    assert job_input.status == "canceled"
    act("retry")
    assert job_input.status == "queued"
    last = job_input.events.last()
    assert last is not None
    assert (last.event, last.actor) == (Event.RETRIED, "chief")


def test_the_admin_shows_no_token_and_takes_a_new_one(cli_client: Client, worker: Worker) -> None:
    url = f"/admin/remoteworker/worker/{worker.pk}/change/"
    assert WORKER_TOKEN not in cli_client.get(url).content.decode()
    form = {"name": "box", "kind": "local", "url": worker.url, "enabled": "on", "new_token": ""}
    assert cli_client.post(url, form).status_code == 302
    worker.refresh_from_db()
    assert worker.token == WORKER_TOKEN, "left empty: unchanged"
    cli_client.post(url, {**form, "new_token": "  another-token  "})
    worker.refresh_from_db()
    assert worker.token == "another-token"


def test_the_admin_refuses_an_address_that_would_carry_a_token_in_clear_text(
    cli_client: Client, db: None
) -> None:
    form = {"name": "far", "kind": "remote", "enabled": "on", "new_token": "t"}
    for url, status in (
        ("http://203.0.113.9:8477", 200),
        ("ftp://x", 200),
        ("http://[abc", 200),
        ("https://u:p@h", 200),
        ("https://h:99999", 200),
        ("http://gpu-worker:8477", 302),
    ):
        assert (
            cli_client.post("/admin/remoteworker/worker/add/", {**form, "url": url}).status_code == status
        ), url


def test_the_admin_deletes_nothing_that_the_program_needs(cli_client: Client, attempt: Attempt) -> None:
    job = attempt.job_input.job
    for url in (
        f"/admin/remoteworker/attempt/{attempt.pk}/delete/",
        f"/admin/jobs/job/{job.pk}/delete/",
        f"/admin/jobs/session/{job.session_id}/delete/",
    ):
        assert cli_client.post(url, {"post": "yes"}).status_code == 403, url
    assert Attempt.objects.count() == Job.objects.count() == 1


def test_the_admin_refuses_a_token_that_cannot_be_sent(cli_client: Client, worker: Worker) -> None:
    form = {"name": "box", "kind": "local", "url": worker.url, "enabled": "on", "new_token": "пароль"}
    page = cli_client.post(f"/admin/remoteworker/worker/{worker.pk}/change/", form)
    assert "printable ASCII" in page.content.decode()


def test_the_admin_tests_a_connection_in_words(cli_client: Client, worker: Worker) -> None:
    data = {"action": "test_connection", "_selected_action": [str(worker.pk)]}
    page = cli_client.post("/admin/remoteworker/worker/", data, follow=True).content.decode()
    assert "connection refused" in page


def test_a_list_of_many_files_costs_as_many_queries_as_one_of_few(
    cli_client: Client, job_of: Callable[..., Job]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert cli_client.get("/admin/jobs/jobinput/").status_code == 200
        return len(seen)

    job_of(files=2)
    few = queries()
    job_of(files=30)
    assert queries() == few


def test_the_drawing_of_the_statuses_is_what_the_table_says() -> None:
    call_command("draw_statuses", "--check")


def test_every_tick_is_in_beats_schedule_and_does_not_pile_up(settings: Any) -> None:
    entries = {entry["task"]: entry for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert set(entries) == {
        "remoteworker.tasks.dispatch_queued",
        "remoteworker.tasks.poll_workers",
        "remoteworker.tasks.reap",
        "bulktranscribe.tasks.prune",
        "jobs.tasks.look_at_uploads",
        "jobs.tasks.make_playable_copies",
        "jobs.tasks.tell_ends",
    }
    for entry in entries.values():
        assert entry["options"]["expires"] == 2 * entry["schedule"]
    assert entries["remoteworker.tasks.poll_workers"]["schedule"] == settings.REMOTE_WORKER_POLL_SECONDS


def test_celery_is_set_for_nudges_only(settings: Any) -> None:
    assert settings.CELERY_TASK_SERIALIZER == "json"
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_IGNORE_RESULT is True
    assert settings.CELERY_WORKER_PREFETCH_MULTIPLIER == 1
    assert settings.CELERY_TASK_PUBLISH_RETRY is False
