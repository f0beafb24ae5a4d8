"""Which workers there are, what they offer, what is said of them."""

from typing import Any

import pytest
from django.core.checks import Error
from django.test import Client

from gpu_worker.shared.protocol import ERRORS
from remoteworker import checks
from remoteworker.models import Worker
from remoteworker.workers import health, offer, registry
from tests.scripted_worker import Said, ScriptedWorker

PING = {
    "status": "ok", "version": "9.9", "identity": {"gitCommit": "abc"}, "gpu": True, "gpuName": "H100",
    "cuda": "13.0", "models": ["tiny.en", "large-v3"], "model": "large-v3", "diarization": False,
    "maxFileMB": 2000, "activeJobs": 0, "maxConcurrentJobs": 2, "queueSize": 1,
}  # fmt: skip


def test_settings_make_rows_and_leave_what_a_person_chose(db: None, settings: Any) -> None:
    settings.LOCAL_WORKER_TOKEN = "local-token-0123456789"
    settings.REMOTE_WORKER_URL = ["https://one.example", "https://two.example:8443"]
    settings.REMOTE_WORKER_TOKEN = "remote-token-0123456789"
    registry.sync_from_settings()
    names = list(Worker.objects.values_list("name", "kind"))
    assert names == [("local", "local"), ("one.example:https", "remote"), ("two.example:8443", "remote")]
    Worker.objects.filter(name="one.example:https").update(enabled=False)
    settings.REMOTE_WORKER_URL = ["https://one.example"]
    settings.REMOTE_WORKER_TOKEN = "rotated-token-0123456789"
    registry.sync_from_settings()
    one, two = Worker.objects.filter(kind="remote")
    assert (one.enabled, one.token) == (False, "rotated-token-0123456789")
    assert two.is_retired
    assert two not in Worker.usable()
    settings.REMOTE_WORKER_URL = ["https://one.example", "https://two.example:8443"]
    registry.sync_from_settings()
    assert two in Worker.usable()
    assert one not in Worker.usable(), "a person disabled it"


@pytest.mark.parametrize(
    ("mode", "toggle", "kind"),
    [
        ("off", True, "local"),
        ("optional", False, "local"),
        ("optional", True, "remote"),
        ("required", False, "remote"),
    ],
)
def test_the_mode_decides_where_a_job_runs(mode: str, toggle: bool, kind: str, settings: Any) -> None:
    settings.REMOTE_WORKER_MODE = mode
    assert registry.kind_for(toggle) == kind


def test_a_ping_fills_in_what_the_worker_offers(worker: Worker, scripted: ScriptedWorker) -> None:
    scripted.script["GET /v1/ping"] = Said(200, PING)
    assert health.ping(worker)
    worker.refresh_from_db()
    assert (worker.slots, worker.models_at_hand) == (3, ["tiny.en", "large-v3"])
    assert offer.current().models == ("large-v3", "tiny.en"), "the worker's own model comes first"
    assert offer.current().notices[False] == ""


@pytest.mark.parametrize(
    "said", [Said(403, {"error": "Wrong token"}), Said(200, b"<html>"), Said(404, {"error": "Job not found"})]
)
def test_a_failed_ping_is_said_and_takes_the_worker_out(
    said: Said, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["GET /v1/ping"] = said
    assert not health.ping(worker)
    worker.refresh_from_db()
    assert (worker.is_connected, worker.failures) == (False, 1)
    assert worker.last_error
    assert offer.current().notices[False]


def test_a_worker_of_another_protocol_gets_nothing_and_the_reason_is_said(
    worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["GET /v1/ping"] = Said(200, {**PING, "protocolVersion": 2})
    assert not health.ping(worker)
    worker.refresh_from_db()
    error = {"code": "PROTOCOL_MISMATCH", "message": ERRORS["PROTOCOL_MISMATCH"].sentence}
    assert (worker.is_connected, worker.last_error) == (False, error)
    scripted.script["GET /v1/ping"] = Said(200, {**PING, "protocolVersion": 1})
    assert health.ping(worker)


def test_required_without_a_worker_says_so(db: None, settings: Any) -> None:
    settings.REMOTE_WORKER_MODE = "required"
    assert "REMOTE_WORKER_URL" in offer.current().notices[True]
    Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote")
    assert offer.current().notices[True].startswith("No GPU worker is reachable.")


def test_speakers_are_asked_for_by_default_unless_no_worker_can_tell_them_apart(worker: Worker) -> None:
    cannot = {"models": ["base"], "diarization": False, "diarizationTrouble": "accept its conditions"}
    Worker.objects.update(capabilities={"models": ["base"], "diarization": False, "diarizationTrouble": ""})
    assert offer.current().tells_speakers, "it is still loading"
    Worker.objects.update(capabilities=cannot)
    assert not offer.current().tells_speakers
    Worker.objects.update(is_connected=False)
    assert offer.current().tells_speakers, "nobody knows"


def test_the_toggle_is_there_in_mode_optional_only(db: None, settings: Any) -> None:
    Worker.objects.create(name="gpu", url="https://gpu.example", kind="remote")
    for mode, has_toggle in (("off", False), ("optional", True), ("required", False)):
        settings.REMOTE_WORKER_MODE = mode
        assert offer.current().has_toggle is has_toggle


def test_a_worker_that_lies_about_its_size_is_bounded(worker: Worker) -> None:
    for said in ({"maxConcurrentJobs": "many"}, {"maxConcurrentJobs": -4}, {"maxConcurrentJobs": 10**9}, {}):
        worker.capabilities = said
        assert worker.slots == 1


def test_the_public_status_has_no_address_and_no_token(
    worker: Worker, scripted: ScriptedWorker, settings: Any
) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    Worker.objects.update(kind="remote")
    scripted.script["GET /v1/ping"] = Said(200, PING)
    health.ping(worker)
    before = len(scripted.heard)
    response = Client().get("/api/remote-worker/status")
    said = response.json()
    assert len(scripted.heard) == before, "no outbound call"
    assert (said["enabled"], said["configured"], said["mode"], said["connected"]) == (
        True,
        True,
        "optional",
        True,
    )
    assert (said["workerVersion"], said["identity"], said["error"]) == ("9.9", {"gitCommit": "abc"}, None)
    assert said["workerCapabilities"]["gpuName"] == "H100"
    assert said["lastPingAt"]
    assert said["latencyMs"] >= 0
    text = response.content.decode()
    assert worker.token not in text
    assert "127.0.0.1" not in text


def test_tokens_are_sealed_in_the_database_and_open_after_a_key_rotation(
    worker: Worker, settings: Any
) -> None:
    token = worker.token
    assert token not in worker.token_encrypted
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key " * 4
    assert Worker.objects.get().token == token
    settings.SECRET_KEY_FALLBACKS = []
    assert Worker.objects.get().token == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"REMOTE_WORKER_MODE": "maybe"}, "remoteworker.E001"),
        ({"REMOTE_WORKER_UPLOAD_MODE": "shove"}, "remoteworker.E002"),
        ({"REMOTE_WORKER_URL": ["https://gpu.example"]}, "remoteworker.E003"),
        ({"REMOTE_WORKER_URL": ["http://1.2.3.4:8477"], "REMOTE_WORKER_TOKEN": "t"}, "remoteworker.E004"),
        ({"REMOTE_WORKER_MODE": "required"}, "remoteworker.W001"),
        ({"REMOTE_WORKER_TOKEN": "пароль"}, "remoteworker.E005"),
    ],
)
def test_wrong_settings_are_named_at_the_start(changes: dict[str, Any], code: str, settings: Any) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert code in [found.id for found in checks.check_worker_settings()]


def test_good_settings_raise_no_error(settings: Any) -> None:
    settings.REMOTE_WORKER_MODE = "optional"
    settings.REMOTE_WORKER_URL = ["https://gpu.example", "http://worker:8477", "http://127.0.0.1:8477"]
    settings.REMOTE_WORKER_TOKEN = "t"
    assert not [found for found in checks.check_worker_settings() if isinstance(found, Error)]
    settings.REMOTE_WORKER_URL = ["http://1.2.3.4:8477"]
    settings.ALLOW_INSECURE_WORKER = True
    assert not [found for found in checks.check_worker_settings() if isinstance(found, Error)]


def test_a_row_that_a_person_made_is_theirs_even_at_an_address_of_the_settings(
    db: None, settings: Any
) -> None:
    own = Worker.objects.create(name="mine", url="https://one.example", kind="remote", enabled=False)
    settings.REMOTE_WORKER_URL = ["https://one.example"]
    settings.REMOTE_WORKER_TOKEN = "remote-token-0123456789"
    registry.sync_from_settings()
    own.refresh_from_db()
    assert (own.enabled, own.token, own.from_settings) == (False, "", False)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"status":"ok","models":["base"],"gpuName":"\\ud83d"}',
        b'{"status":"ok","models":["base"],"gpuName":"\\\\u0000u0000 \\u0000"}',
        b'{"status":"ok","models":["base"],"speed":1e999}',
        b'{"status":"ok","models":["base"],"speed":NaN}',
    ],
)
def test_a_ping_with_odd_text_or_numbers_is_storable_or_refused(
    answer: bytes, worker: Worker, scripted: ScriptedWorker
) -> None:
    scripted.script["GET /v1/ping"] = Said(200, answer)
    is_taken = health.ping(worker)
    worker.refresh_from_db()
    assert worker.is_connected is is_taken
    stored = str(worker.capabilities)
    assert stored.encode() == stored.encode("utf-8", "replace")
    assert "\0" not in stored


def test_a_token_that_cannot_be_sent_is_a_failed_ping(worker: Worker, scripted: ScriptedWorker) -> None:
    worker.token = "пароль"
    worker.save()
    assert not health.ping(worker)
