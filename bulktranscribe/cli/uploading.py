"""Uploads each file once and starts a job for them; shared by `transcribe` and `watch`."""

import time
from collections.abc import Callable, Collection
from itertools import takewhile
from typing import TypeVar

from bulktranscribe.cli.client import (
    Client,
    JobOptions,
    JobState,
    Refused,
    RemoteFile,
    Say,
    Source,
    Unreachable,
    unsaid,
)
from bulktranscribe.cli.progress import Reporter

Answer = TypeVar("Answer")
PATIENCE_SECONDS = 900.0
PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds between attempts; the last one repeats


class Gone(Exception):
    """Files were deleted before their job started."""

    def __init__(self, uploads: set[str]) -> None:
        super().__init__("The file was deleted before its job started.")
        self.uploads = uploads


class UploadCache:
    """The files of a session by content, so that existing files are not uploaded again."""

    def __init__(self, client: Client, session: str) -> None:
        self.client, self.session = client, session
        self._remote_files = {(one.sha256, one.size): one for one in reversed(client.remote_files(session))}

    def names(self) -> dict[str, str]:
        """The paths of the files by their ids."""
        return {one.id: one.relative for one in self._remote_files.values()}

    def forget(self, uploads: Collection[str]) -> None:
        """Forget files that the session no longer has, so that they can be uploaded again."""
        self._remote_files = {key: one for key, one in self._remote_files.items() if one.id not in uploads}

    def bring(self, source: Source, reporter: Reporter, number: int = 1, count: int = 1) -> RemoteFile:
        """Return the file in the session, uploading it if necessary. Raises like Client.send."""
        key = (source.sha256, source.size)
        twin = self._remote_files.get(key)
        if twin is None:
            name = source.relative
            sent = self.client.send(
                self.session,
                source,
                lambda done: reporter.sending(name, done, source.size, number, count),
                reporter.say,
            )
            return self._remote_files.setdefault(key, sent)
        what = (
            "already in the session" if twin.relative == source.relative else f"identical to {twin.relative}"
        )
        reporter.say(f"{source.relative}: {what}; not uploaded again.")
        return twin


def start_once(
    client: Client, session: str, uploads: list[str], job_options: JobOptions, after: int
) -> JobState:
    """Start exactly one job for these files, even if the response to the first attempt is lost.

    `after`: the number of the newest job before. Raises Gone if files were deleted in the meantime.
    """
    try:
        try:
            return client.start(session, uploads, job_options)
        except Unreachable:  # perhaps it was heard
            return patiently(lambda: _started(client, session, uploads, job_options, after), unsaid)
    except Refused as refusal:
        if refusal.code == "UNKNOWN_UPLOAD" and (gone := deleted(client, session, uploads)):
            raise Gone(gone) from refusal
        raise


def deleted(client: Client, session: str, uploads: Collection[str]) -> set[str]:
    """Return the files that the session no longer has."""
    return set(uploads) - {one.id for one in client.remote_files(session)}


def _started(
    client: Client, session: str, uploads: list[str], job_options: JobOptions, after: int
) -> JobState:
    for job in takewhile(lambda job: job.number > after, client.jobs(session)):
        if [file.upload for file in job.files] == uploads:
            return job
    return client.start(session, uploads, job_options)


def patiently(ask: Callable[[], Answer], say: Say) -> Answer:
    """Retry while the server does not respond. Raises Unreachable after a quarter of an hour."""
    deadline, attempts = time.monotonic() + PATIENCE_SECONDS, 0
    while True:
        try:
            answer = ask()
        except Unreachable as silence:
            if time.monotonic() > deadline:
                raise
            if attempts == 0:
                say(f"{silence} Retrying…")
            time.sleep(PAUSES[min(attempts, len(PAUSES) - 1)])
            attempts += 1
            continue
        if attempts:
            say("Connection restored.")
        return answer
