"""Installations that earlier versions left behind are opened by this one: pages and commands alone say how they are.

README.md says how they were made. Nothing here may name a module of the program: it has to outlive them all.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.contract.installation import REPOSITORY, answers, clean_environment, manage, wait_for
from tests.ports import free_port
from tests.saved.make import NAME, PASSWORD, SECRET_KEY, WORKER_TOKEN

HERE = Path(__file__).resolve().parent
SAVED = sorted(path.parent for path in HERE.glob("*/database.sql"))
ADMIN_TEXTS = {
    "auth/user": NAME,
    "jobs/session": "Valley interviews",
    "jobs/upload": "phone.aiff",
    "jobs/job": "Valley interviews",
    "jobs/jobinput": "letter.mp3",
    "jobs/webhook": "hooks.invalid",
    "jobs/apitoken": "Nightly script",
    "review/transcript": "mill.ogg",
}


class Opened:
    """A saved installation, migrated, with its web process."""

    def __init__(self, saved: Path, folder: Path) -> None:
        self.names = json.loads((saved / "names.json").read_text())
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.browser = requests.Session()
        self.browser.trust_env = False
        data = folder / "data"
        shutil.copytree(saved / "data", data)
        with closing(sqlite3.connect(data / "bulktranscribe.sqlite3")) as rows:
            rows.executescript((saved / "database.sql").read_text())
        own = {"DATA_DIR": str(data), "SECRET_KEY": SECRET_KEY, "WEB_PORT": str(self.port)}
        self.environment = {**clean_environment(), **own, "MIN_FREE_DISK_MB": "0"}

    def manage(self, *argv: str) -> str:
        return manage(self.environment, *argv)

    def sign_in(self) -> None:
        page = self.browser.get(f"{self.url}/accounts/login/", timeout=60)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        form = {"username": NAME, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        assert self.browser.post(page.url, form, timeout=60).ok
        assert self.browser.cookies.get("sessionid")

    def get(self, path: str) -> requests.Response:
        """Open a page or a resource of the API; it is there."""
        answer = self.browser.get(self.url + path, timeout=60)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer

    def post(self, path: str, **content: Any) -> None:
        headers = {"X-CSRFToken": self.browser.cookies.get("csrftoken") or ""}
        answer = self.browser.post(self.url + path, headers=headers, timeout=60, **content)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"


@pytest.fixture(scope="module", params=SAVED, ids=lambda path: path.name)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("saved")
    found = Opened(request.param, folder)
    found.manage("migrate", "--verbosity", "0")
    argv = [sys.executable, "manage.py", "serve"]
    with (
        (folder / "web.log").open("wb") as log,
        found.browser,
        subprocess.Popen(argv, cwd=REPOSITORY, env=found.environment, stdout=log, stderr=log) as web,
    ):
        try:
            wait_for(lambda: answers(f"{found.url}/accounts/login/"), 120, "the web process answers")
            found.sign_in()
            yield found
        finally:
            web.terminate()


def test_it_needs_no_migration_any_more_and_every_invariant_holds(opened: Opened) -> None:
    opened.manage("migrate", "--check")
    assert "hold" in opened.manage("check_invariants")
    opened.manage("audit_storage", "--verify")
    assert "127.0.0.1" in opened.manage("worker_status")


def test_its_sessions_and_files_are_on_their_pages(opened: Opened) -> None:
    assert "Valley interviews" in opened.get("/").text
    page = opened.get(f"/sessions/{opened.names['session']}/").text
    for name, pk in opened.names["inputs"].items():
        assert name in page
        assert name in opened.get(f"/inputs/{pk}/").text
    assert opened.get(f"/api/sessions/{opened.names['session']}/state").json()


def test_its_jobs_stand_as_they_stood(opened: Opened) -> None:
    jobs = {name: opened.get(f"/api/jobs/{pk}").json()["job"] for name, pk in opened.names["jobs"].items()}
    assert {name: job["status"] for name, job in jobs.items()} == {
        "first": "complete_with_errors",
        "canceled": "canceled",
        "queued": "queued",
    }
    files = {row["name"]: row for row in jobs["first"]["inputs"]}
    assert {name: row["status"] for name, row in files.items()} == {
        "bridge.ogg": "complete",
        "letter.mp3": "failed",
        "mill.ogg": "complete",
        "phone.aiff": "complete",
    }
    assert files["letter.mp3"]["error"]["code"] == "INPUT_UNDECODABLE"


def test_its_recordings_can_be_played(opened: Opened) -> None:
    for name, pk in opened.names["uploads"].items():
        described = opened.get(f"/api/uploads/{pk}").json()["upload"]
        assert described["name"] == name
        assert opened.get(f"/uploads/{pk}/media").content
    assert opened.get(f"/uploads/{opened.names['uploads']['mill.ogg']}/levels").content


def test_its_transcripts_have_what_people_made_of_them(opened: Opened) -> None:
    pk = opened.names["inputs"]["mill.ogg"]
    page = opened.get(f"/transcripts/{pk}/").text
    assert "closed early, they said." in page
    assert "Berta" in page
    state = opened.get(f"/api/transcripts/{pk}").json()
    assert state["reviewStatus"] == "second_look"
    assert [row["text"] for row in state["segments"][:2]] == ["So the mill", "closed early, they said."]
    assert {"Berta", "Interviewer"} <= {row["name"] for row in state["speakers"]}
    assert not [row for row in state["segments"] if "taken back" in row["text"]]
    assert all(word[3] for row in state["segments"][2:] for word in row["words"])


def test_its_history_and_versions_are_there(opened: Opened) -> None:
    place = f"/api/transcripts/{opened.names['inputs']['mill.ogg']}"
    assert len(opened.get(f"{place}/history").json()["edits"]) >= 9
    (version,) = opened.get(f"{place}/revisions").json()["revisions"]
    assert version["name"] == "First pass"
    assert "So the mill" in opened.get(f"{place}/revisions/{version['id']}").text
    assert "closed early" in opened.get(f"{place}/diff").text


def test_its_transcripts_are_exported_in_every_format(opened: Opened) -> None:
    pk = opened.names["inputs"]["mill.ogg"]
    formats = {row["format"] for row in opened.get(f"/api/transcripts/{pk}/exports").json()["exports"]}
    assert formats >= {"txt", "md", "srt", "vtt", "json"}
    for name in formats:
        text = opened.get(f"/api/transcripts/{pk}/exports/{name}").text
        assert "closed early, they said." in text, name
        assert opened.get(f"/transcripts/{pk}/download.{name}").text == text


def test_its_settings_are_on_their_pages(opened: Opened) -> None:
    assert "Nightly script" in opened.get("/settings/tokens/").text
    page = opened.get("/settings/notifications/").text
    hook = re.search(r"/settings/notifications/webhooks/[0-9a-f-]{36}/", page)
    assert hook
    assert "hooks.invalid" in opened.get(hook[0]).text
    assert "Two people" in opened.get(f"/sessions/{opened.names['session']}/").text


def test_its_worker_is_known_by_its_token(opened: Opened) -> None:
    place = f"{opened.url}/api/jobs/{uuid4()}/worker/complete"
    tokens = {"its own": WORKER_TOKEN, "another": WORKER_TOKEN[::-1]}
    told = {
        whose: requests.post(place, json={}, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        for whose, token in tokens.items()
    }
    assert {whose: answer.status_code in (401, 403) for whose, answer in told.items()} == {
        "its own": False,
        "another": True,
    }


def test_the_admin_lists_all_of_it(opened: Opened) -> None:
    lists = set(re.findall(r'href="(/admin/[a-z]+/[a-z]+/)"', opened.get("/admin/").text))
    assert lists >= {f"/admin/{name}/" for name in ADMIN_TEXTS}
    for place in sorted(lists):
        page = opened.get(place).text
        assert ADMIN_TEXTS.get(place.removeprefix("/admin/").rstrip("/"), "") in page, place
        if first := re.search(rf'href="({place}[^"/]+/change/)', page):
            opened.get(first[1])


def test_people_go_on_where_they_were(opened: Opened) -> None:
    place = f"/api/transcripts/{opened.names['inputs']['mill.ogg']}"
    before = opened.get(place).json()
    for kind in (
        {"kind": "SetStatus", "status": "done"},
        {"kind": "Undo"},
        {"kind": "Undo"},
        {"kind": "Redo"},
    ):
        batch = {
            "baseVersion": opened.get(place).json()["version"],
            "client": str(uuid4()),
            "edits": [{"id": str(uuid4()), **kind}],
        }
        opened.post(f"{place}/edits", json=batch)
    after = opened.get(place).json()
    assert (after["reviewStatus"], after["version"]) == (before["reviewStatus"], before["version"] + 4)
    for kind in ("upload", "job"):
        opened.post(f"/api/{kind}s/{opened.names['trash'][kind]}/restore")
    assert "hold" in opened.manage("check_invariants")
