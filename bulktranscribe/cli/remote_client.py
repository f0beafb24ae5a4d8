"""The client for a remote server, over its REST API."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bulktranscribe.cli import tus, uploading
from bulktranscribe.cli.client import (
    Changed,
    JobOptions,
    JobState,
    OnBytes,
    Refused,
    RemoteFile,
    Say,
    Source,
    Unreachable,
    unsaid,
)
from bulktranscribe.cli.transport import HttpTransport

PAGE = 200
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def check_address(url: str, *, insecure: bool) -> None:
    """Raise Refused if the URL is invalid or a token would be sent unencrypted."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("NO_ADDRESS", f"Invalid URL: “{url}”. It must start with https://")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not insecure:
        text = "The token would be sent unencrypted. Use https://, or pass --insecure on a trusted network."
        raise Refused("INSECURE", text)


class RemoteClient:
    """Acts for the owner of a token; see `client.Client`."""

    def __init__(self, url: str, token: str) -> None:
        self.transport = HttpTransport(url, token)

    def open_session(self, name: str, *, make: bool = True) -> str:
        for row in self._pages("/api/sessions", "sessions"):
            if row["name"] == name:
                return str(row["id"])
        if not make:
            raise Refused("NOT_FOUND", f"Session not found: “{name}”.")
        made = self.transport.json("POST", "/api/sessions", json={"name": name})
        return str(made["session"]["id"])

    def address(self, session: str) -> str:
        return f"{self.transport.url}/sessions/{session}/"

    def notice(self, session: str) -> str:
        return str(self.transport.json("GET", f"/api/sessions/{session}/state")["notice"] or "")

    def remote_files(self, session: str) -> list[RemoteFile]:
        return [_remote_file(row) for row in self._pages(f"/api/sessions/{session}/uploads", "uploads")]

    def send(self, session: str, source: Source, on_bytes: OnBytes, say: Say = unsaid) -> RemoteFile:
        stays: list[str] = []
        for _try in range(2):  # what was begun under this name may have been another file
            arrived = tus.send(self.transport, session, source, on_bytes, say)
            remote_file = self._upload(arrived.upload)
            if remote_file.sha256 == source.sha256:
                return remote_file
            if arrived.is_ours and (text := self._take_back(session, remote_file, say)):
                say(text)  # whatever comes of the next try
                stays.append(text)
        raise Changed(" ".join(stays))

    def _upload(self, pk: str) -> RemoteFile:
        try:
            return _remote_file(self.transport.json("GET", f"/api/uploads/{pk}")["upload"])
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            raise Refused("UPLOAD_GONE", "The file was deleted right after it was uploaded.") from refusal

    def _take_back(self, session: str, remote_file: RemoteFile, say: Say) -> str:
        """Delete an upload whose content is wrong. Return why and where it remains; empty if it was deleted."""
        try:
            uploading.patiently(lambda: self.transport.call("DELETE", f"/api/uploads/{remote_file.id}"), say)
        except (Refused, Unreachable) as problem:
            if isinstance(problem, Refused) and problem.code == "NOT_FOUND":  # the first answer was lost
                return ""
            where = self.address(session)
            return (
                f"An incomplete copy of “{remote_file.relative}” remains in the session: {problem} "
                f"Delete it there: {where}"
            )
        return ""

    def start(self, session: str, uploads: list[str], job_options: JobOptions) -> JobState:
        wanted = {
            "uploadIds": uploads,
            "model": job_options.model,
            "language": job_options.language,
            "useRemote": job_options.use_remote,
            **job_options.counts(),
        }
        return JobState.read(self.transport.json("POST", f"/api/sessions/{session}/jobs", json=wanted)["job"])

    def jobs(self, session: str) -> Iterator[JobState]:
        for row in self._pages("/api/jobs", "jobs", session=session):
            try:
                files = list(self._pages(f"/api/jobs/{row['id']}/inputs", "inputs"))
            except Refused as refusal:
                if refusal.code != "NOT_FOUND":
                    raise
                continue  # deleted since it was listed
            yield JobState.read({**row, "inputs": files})

    def job(self, job: str) -> JobState:
        return JobState.read(self.transport.json("GET", f"/api/jobs/{job}")["job"])

    def cancel(self, job: str) -> None:
        self.transport.call("POST", f"/api/jobs/{job}/cancel")

    def export(self, file: str, format: str) -> bytes:
        try:
            return self.transport.call("GET", f"/api/transcripts/{file}/exports/{format}").content
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            there = self.transport.json("GET", f"/api/transcripts/{file}/exports")["exports"]
            names = ", ".join(row["format"] for row in there)
            raise Refused(
                "NO_SUCH_FORMAT", f"Unknown format “{format}”. Available formats: {names}."
            ) from refusal

    def _pages(self, path: str, name: str, **only: str) -> Iterator[dict[str, Any]]:
        wanted = {**only, "limit": str(PAGE)}
        while True:
            page = self.transport.json("GET", path, params=wanted)
            yield from page[name]
            if page["next"] is None:
                return
            wanted["cursor"] = page["next"]


def _remote_file(row: dict[str, Any]) -> RemoteFile:
    return RemoteFile(row["id"], row["name"], row["folder"], row["sizeBytes"], row["sha256"], row["isNew"])
