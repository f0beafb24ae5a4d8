"""Makes a saved installation: `python -m tests.saved.make FOLDER`, in a checkout of the version that is to be saved.

Real processes do it all, asked over HTTP as people and programs ask: uploads in one go and in pieces, jobs that
complete, fail and are canceled, edits, versions, the trash. The worker rehearses, so the words are made up.
"""

import argparse
import base64
import hashlib
import io
import json
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av

from tests.contract import media
from tests.contract.installation import Installation, wait_for

NAME, PASSWORD = "anna", "a saved pass phrase"
SECRET_KEY = "saved-secret-key-0123456789-abcdefghijklmn"  # without it, what is encrypted stays so
WORKER_TOKEN = "contract-token-0123456789-abcdefgh"
MODEL = "base"
SPEED = 8  # seconds of a recording that the worker takes a second for
# What differs with every start, or could name a machine.
PRIVATE = (
    "DELETE FROM django_session",
    "UPDATE remoteworker_attempt SET boot_id = ''",
    "UPDATE remoteworker_tick SET boot_id = ''",
)
Row = dict[str, Any]


class Saved(Installation):
    """An installation that is used for a minute and then put away."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SECRET_KEY=SECRET_KEY, REMOTE_WORKER_TOKEN=WORKER_TOKEN, SOUND_SECONDS="1")
        account = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD, "DJANGO_SUPERUSER_EMAIL": f"{NAME}@example.org"}
        self.controller_env |= account
        self.worker_env |= {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": str(SPEED)}
        self.worker_env |= {"WORKER_MODEL": MODEL, "WORKER_TOKEN": WORKER_TOKEN}

    def __enter__(self) -> "Saved":
        self.manage("migrate", "--verbosity", "0")
        self.manage("createsuperuser", "--noinput", "--username", NAME, "--verbosity", "0")
        super().__enter__()
        return self

    def form(self, path: str, **fields: Any) -> None:
        """Send a page's form."""
        token = self.browser.cookies.get("csrftoken") or ""
        answer = self.browser.post(self.url + path, {**fields, "csrfmiddlewaretoken": token}, timeout=30)
        assert answer.ok, f"{path}: {answer.status_code}"

    def call(self, method: str, path: str, **content: Any) -> Any:
        headers = {"X-CSRFToken": self.browser.cookies.get("csrftoken") or "", **content.pop("headers", {})}
        answer = self.browser.request(method, self.url + path, headers=headers, timeout=30, **content)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def begin(self, session: str, uploads: list[str], **options: Any) -> str:
        order = {"uploadIds": uploads, "model": MODEL, **options}
        return str(self.post(f"/api/sessions/{session}/jobs", json=order)["job"]["id"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="saved-") as place:
        with Saved(Path(place)) as running:
            names = use(running)
        put_away(Path(place) / "data", folder)
    (folder / "names.json").write_text(json.dumps(names, indent=2, sort_keys=True) + "\n")


# Use ---------------------------------------------------------------------------------------------


def use(running: Saved) -> Row:
    """Leave something of every kind behind; return the ids of what a test wants to open, by name."""
    session = running.new_session("Valley interviews")
    settings(running, session)
    files = {"mill.ogg": recording(18.0), "bridge.ogg": recording(9.0), "letter.mp3": b"Dear Anna,\n" * 40}
    sent = {row["name"]: row["id"] for row in running.upload(session, files)["uploads"]}
    sent["phone.aiff"] = in_pieces(running, session, "Tape 1/phone.aiff", recording(1.0, "aiff", "pcm_s16be"))
    in_pieces(running, session, "unfinished.ogg", recording(3.0), whole=False)
    first = running.begin(
        session, list(sent.values()), speakers="exact", numSpeakers=2, hotwords="Anna, mill"
    )
    ended = running.wait_job(first, 120)
    inputs = {row["name"]: row["id"] for row in ended["inputs"]}
    review(running, inputs["mill.ogg"])
    try_again(running, first, inputs["letter.mp3"])
    second = canceled(running, session, sent["mill.ogg"])
    thrown = trash(running, session)
    wait_for(lambda: "phone.aiff" in copies(running), 60, "the player has its copy")
    process = running.processes.pop("celery")  # what is asked for from now on waits
    process.terminate()
    process.wait(30)
    third = running.begin(session, [sent["bridge.ogg"]])
    return {"session": session, "uploads": sent, "inputs": inputs, **thrown,
            "jobs": {"first": first, "canceled": second, "queued": third}}  # fmt: skip


def settings(running: Saved, session: str) -> None:
    """What a person sets once: a token, a webhook that cannot be reached, mail, a preset, how long files stay."""
    token = {"name": "Nightly script", "scopes": ["read", "jobs"], "session": "", "days": ""}
    running.form("/settings/tokens/", **token)
    running.form(
        "/settings/notifications/webhooks", url="https://hooks.invalid/ended", session="", is_enabled="on"
    )
    running.form("/settings/notifications/", when="failed", email=f"{NAME}@example.org")
    running.post("/api/presets", json={"name": "Two people", "options": {"model": MODEL, "num_speakers": 2}})
    running.call("PATCH", f"/api/sessions/{session}", json={"retentionDays": 365})


def in_pieces(running: Saved, session: str, path: str, content: bytes, *, whole: bool = True) -> str:
    """Send a file by the resumable protocol, or half of it; return the id of the upload that it became."""
    said = {"filename": Path(path).name, "relativePath": path}
    metadata = ",".join(f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items())
    tus = {"Tus-Resumable": "1.0.0"}
    begin = {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
    made = running.call("POST", f"/api/sessions/{session}/incoming", headers=begin)
    place = "/api/incoming/" + made.headers["Location"].rstrip("/").rpartition("/")[2]
    half = len(content) // 2
    for offset, piece in [(0, content[:half]), (half, content[half:])][: 2 if whole else 1]:
        digest = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        headers = {**tus, "Upload-Offset": str(offset), "Upload-Checksum": f"sha256 {digest}"}
        headers["Content-Type"] = "application/offset+octet-stream"
        running.call("PATCH", place, headers=headers, data=piece)
    return str(running.get(place)["incoming"]["upload"]["id"]) if whole else ""


def review(running: Saved, transcript: str) -> None:
    """Correct a transcript as a page does, one batch an edit, with some taken back; keep a version between."""
    state = running.get(f"/api/transcripts/{transcript}")
    first, second, third = (row["key"] for row in state["segments"][:3])
    speakers = [row["key"] for row in state["speakers"]]
    edits: list[Row] = [
        {"kind": "SetText", "segment": first, "text": "So the mill closed early, they said."},
        {"kind": "RenameSpeaker", "speaker": speakers[0], "name": "Berta"},
        {"kind": "AddSpeaker", "newKey": str(uuid.uuid4()), "name": "Interviewer"},
        {"kind": "SetSpeaker", "segment": second, "speaker": speakers[0], "scope": "one"},
        {"kind": "Split", "segment": first, "at": 11, "newKey": str(uuid.uuid4())},
        {"kind": "Highlight", "segment": second, "on": True},
        {"kind": "Check", "segment": first, "on": True},
        {"kind": "SetText", "segment": third, "text": "This text is taken back."},
        {"kind": "Undo"},
        {"kind": "SetStatus", "status": "second_look"},
    ]
    client, version = str(uuid.uuid4()), state["version"]
    for number, edit in enumerate(edits):
        batch = {"baseVersion": version, "client": client, "edits": [{"id": str(uuid.uuid4()), **edit}]}
        version = running.post(f"/api/transcripts/{transcript}/edits", json=batch)["version"]
        if number == 4:
            running.post(f"/api/transcripts/{transcript}/revisions", json={"name": "First pass"})
    running.post(f"/api/transcripts/{transcript}/presence", json={"client": client, "segment": second})


def try_again(running: Saved, job: str, failed: str) -> None:
    """A file that cannot be decoded fails a second time."""
    running.post(f"/api/inputs/{failed}/retry")
    running.wait_job(job, 60)


def canceled(running: Saved, session: str, upload: str) -> str:
    """Cancel a file while a worker is at it."""
    job = running.begin(session, [upload], initialPrompt="An interview.")
    wait_for(lambda: running.job(job)["inputs"][0]["status"] == "running", 60, "a worker is at it")
    running.post(f"/api/jobs/{job}/cancel")
    running.wait_job(job, 60)
    return job


def trash(running: Saved, session: str) -> Row:
    """Delete a recording, a job and a session."""
    upload = running.upload(session, {"wrong.ogg": recording(2.0)})["uploads"][0]["id"]
    running.call("DELETE", f"/api/uploads/{upload}")
    other = running.upload(session, {"noise.ogg": recording(4.0)})["uploads"][0]["id"]
    job = running.begin(session, [other])
    running.wait_job(job, 60)
    running.call("DELETE", f"/api/jobs/{job}")
    old = running.new_session("Old tapes")
    running.call("DELETE", f"/api/sessions/{old}")
    return {"trash": {"upload": upload, "job": job, "session": old}}


def copies(running: Saved) -> str:
    """The names of the recordings that the player has a copy of."""
    found = "SELECT name FROM jobs_playablecopy c JOIN jobs_upload u ON c.upload_id = u.id WHERE c.size_bytes"
    with closing(sqlite3.connect(running.folder / "data" / "bulktranscribe.sqlite3")) as rows:
        return " ".join(name for (name,) in rows.execute(found))


def recording(seconds: float, container: str = "ogg", codec: str = "libopus") -> bytes:
    """The beginning of the demo recording, as small as it gets."""
    buffer = io.BytesIO()
    with av.open(io.BytesIO(media.demo())) as source, av.open(buffer, "w", format=container) as target:
        stream = target.add_stream(codec, rate=8000, layout="mono")
        if codec == "libopus":
            stream.bit_rate = 6000
        for frame in beginning(source, seconds):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return buffer.getvalue()


def beginning(source: Any, seconds: float) -> Iterator[Any]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
    for frame in source.decode(audio=0):
        if frame.time >= seconds:
            return
        yield from resampler.resample(frame)


# Put away ----------------------------------------------------------------------------------------


def put_away(data: Path, folder: Path) -> None:
    """Write the database as text, and the files of DATA_DIR beside it."""
    with closing(sqlite3.connect(data / "bulktranscribe.sqlite3")) as rows:
        for statement in PRIVATE:
            rows.execute(statement)
        rows.commit()
        (folder / "database.sql").write_text("\n".join(rows.iterdump()) + "\n")
    for name in ("media", "results", "incoming"):
        shutil.copytree(data / name, folder / "data" / name, ignore=shutil.ignore_patterns("*.lock"))


if __name__ == "__main__":
    main()
