"""`watch`: transcribe each file in a folder once, after it has stopped changing."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from bulktranscribe.cli import exports, folder, outcomes, uploading
from bulktranscribe.cli.client import Changed, Client, FileState, JobState, Refused, Unreachable
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.progress import Reporter, reporter_for

Signature = tuple[int, int, int]  # size, and when content and permissions changed, in ns
TICK_SECONDS = 1.0
FULL = ("DISK_FULL", "QUOTA_FULL")
NO_SESSION = ("NOT_FOUND", "SESSION_DELETED")
SESSION_IS_GONE = "The session was deleted. Run this command again to create a new one with the same name."
FULL_SECONDS = 60.0  # until a full installation is asked again
A_SECOND_MORE_FOR = 200  # files in the open jobs: their states are long answers


class Settling:
    """Determines which files have not changed for a while. Pure: time and files are arguments."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._since: dict[str, tuple[Signature, float]] = {}
        self._taken: dict[str, Signature] = {}

    def ready(self, there: Mapping[str, Signature], now: float) -> list[str]:
        """Return the stable, nonempty files that have not been processed in their current state."""
        for name, signature in there.items():
            if self._since.get(name, (None,))[0] != signature:
                self._since[name] = (signature, now)
        self._since = {name: seen for name, seen in self._since.items() if name in there}
        return [name for name in self._open(there) if now - self._since[name][1] >= self.seconds]

    def is_waiting(self, there: Mapping[str, Signature]) -> bool:
        """Return whether a file is still changing or has not been processed."""
        return any(True for _name in self._open(there))

    def take(self, name: str, signature: Signature) -> None:
        """Mark the file as processed until it changes."""
        self._taken[name] = signature

    def _open(self, there: Mapping[str, Signature]) -> Iterable[str]:
        return (name for name, seen in there.items() if seen[0] and self._taken.get(name) != seen)


def watch(client: Client, top: Path, cli_options: CliOptions, console: Console) -> int:
    """Watch a folder until Ctrl-C, or with --once until all files are done. Raises Refused if nothing can start."""
    reporter = reporter_for(console)
    try:
        session = uploading.patiently(lambda: client.open_session(cli_options.session), reporter.say)
        watcher = uploading.patiently(
            lambda: Watcher(client, session, top, cli_options, reporter), reporter.say
        )
        reporter.say(
            f"Watching {top} for “{cli_options.session}”, {client.address(session)} — Ctrl-C ends it."
        )
        return _watch(watcher, once=cli_options.once)
    except KeyboardInterrupt:
        reporter.say("Stopped watching. Jobs that have started continue to run.")
        return outcomes.INTERRUPTED
    finally:
        reporter.close()


def _watch(watcher: "Watcher", *, once: bool) -> int:
    """Poll the folder. Raises Refused if nothing was started."""
    try:
        while not watcher.tick(time.monotonic()) or not once:
            time.sleep(TICK_SECONDS)
    except Refused as refusal:
        if not watcher.has_begun:
            raise
        watcher.reporter.say(str(refusal))
        return outcomes.SOME_FAILED
    return outcomes.SOME_FAILED if watcher.has_failures else outcomes.COMPLETE


class Watcher:
    """The state of a watch. Everything important is stored in the session, so that it survives a restart."""

    def __init__(
        self, client: Client, session: str, top: Path, cli_options: CliOptions, reporter: Reporter
    ) -> None:
        self.client, self.session, self.top, self.cli_options, self.reporter = (
            client,
            session,
            top,
            cli_options,
            reporter,
        )
        self.settling = Settling(cli_options.settle_seconds)
        self.upload_cache = uploading.UploadCache(client, session)
        self.ledger = exports.Ledger(cli_options.out) if cli_options.out else None
        before = list(client.jobs(session))
        self.jobs = [job for job in before if not job.has_ended]
        self.ended = [job for job in before if job.has_ended]  # perhaps with something to write
        self.newest = max((job.number for job in before), default=0)
        self.used = {file.upload for job in before for file in job.files}
        self.mine: dict[str, str] = {}  # by the folder's files: their uploads
        self.pending: list[str] = []  # uploads without a job
        self.has_begun = bool(self.jobs)
        self.has_failures = False
        self._failed: dict[str, bool] = {}  # by upload, as its latest job ended
        self._gone: set[str] = set()  # files whose transcripts were deleted before they were written
        self._said: set[str] = set()
        self._full_until = 0.0
        self._follow_at = 0.0

    def tick(self, now: float) -> bool:
        """Poll once; return whether all files are done. Raises Refused if the session was deleted."""
        there = self._listing()
        try:
            if now >= self._full_until:
                for name in self.settling.ready(there, now):
                    self._bring(name, there[name], now)
            self._start()
            if now >= self._follow_at:
                self._follow()
                self._follow_at = now + sum(len(job.files) for job in self.jobs) / A_SECOND_MORE_FOR
            self._said.discard("silence")
        except Unreachable as silence:
            self._say_once("silence", f"{silence} Retrying…")
            return False
        except Refused as refusal:
            if refusal.code not in NO_SESSION:
                raise
            raise Refused(refusal.code, SESSION_IS_GONE) from refusal
        is_failed = any(self._failed.get(upload) for upload in self.mine.values())
        self.has_failures = is_failed or bool(self._refused())
        return not (self.settling.is_waiting(there) or self.pending or self.jobs or self.ended)

    def _refused(self) -> list[str]:
        return [key for key in self._said if key.startswith("file ")]

    def _listing(self) -> dict[str, Signature]:
        there = {}
        for found in folder.inside(self.top):
            try:
                seen = found.path.stat()
            except OSError:  # gone meanwhile
                continue
            there[found.relative] = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        if not self.top.is_dir():
            self._say_once("top", f"{self.top} does not exist. Waiting for it…")
        return there

    def _bring(self, name: str, signature: Signature, now: float) -> None:
        try:
            source = folder.look(Found(self.top / name, name))
            remote_file = self.upload_cache.bring(source, self.reporter)
        except (Changed, FileNotFoundError):
            return  # looked at again when it is still
        except OSError as failure:
            text = f"Cannot read the file: {failure.strerror or failure}. It is retried when it changes."
        except Refused as refusal:
            if refusal.code in NO_SESSION:
                raise
            if refusal.code in FULL:
                self._full_until = now + FULL_SECONDS
                self._say_once(refusal.code, f"{name}: {refusal} Retrying every minute.")
                return
            text = str(refusal)
        else:
            self._said.discard(f"file {name}")
            self.mine[name] = remote_file.id
            if remote_file.id not in self.used:
                self.used.add(remote_file.id)
                self.pending.append(remote_file.id)
            self.settling.take(name, signature)
            return
        self._say_once(f"file {name}", f"{name}: {text}")
        self.settling.take(name, signature)

    def _start(self) -> None:
        """Start one job for all new files."""
        if not self.pending:
            return
        try:
            job = uploading.start_once(
                self.client, self.session, self.pending, self.cli_options.job_options, self.newest
            )
        except uploading.Gone as gone:  # the others are started at the next look
            for upload in gone.uploads:
                name = self.upload_cache.names().get(upload, upload)
                self._say_once(f"upload {upload}", f"{name}: {gone} It is uploaded again when it changes.")
            self._failed.update(dict.fromkeys(gone.uploads, True))
            self._forget(gone.uploads)
            return
        self.has_begun = True
        self.pending = []
        self.newest = max(self.newest, job.number)
        self.jobs.append(job)
        self.reporter.say(f"Job {job.number}: {len(job.files)} file{'s' if len(job.files) > 1 else ''}.")
        if notice := self.client.notice(self.session):
            self.reporter.say(notice)

    def _follow(self) -> None:
        """Poll the open jobs; write complete transcripts."""
        names = self.upload_cache.names()
        self.jobs = [now for job in self.jobs if (now := self._now(job)) is not None]
        if self.jobs:
            self.reporter.files([file for job in self.jobs for file in _named(job, names)])
        self.ended += [job for job in self.jobs if job.has_ended]
        self.jobs = [job for job in self.jobs if not job.has_ended]
        for job in sorted([*self.ended, *self.jobs], key=lambda job: job.number):
            files = _named(job, names)
            written = [self._write(file) for file in files]
            self._failed.update((file.upload, self._has_failed(file)) for file in files)
            if all(written) and job in self.ended:
                self.ended.remove(job)

    def _has_failed(self, file: FileState) -> bool:
        return file.status in ("failed", "canceled") or file.id in self._gone

    def _now(self, job: JobState) -> JobState | None:
        """Return the current state of a job; None if it was deleted."""
        try:
            return self.client.job(job.id)
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
        self._forget(uploading.deleted(self.client, self.session, [file.upload for file in job.files]))
        open_files = [file for file in job.files if file.status != "complete" or self._unwritten(file)]
        self._failed.update((file.upload, True) for file in open_files)
        text = f"Job {job.number} was deleted. Files that were not complete are not transcribed."
        self._say_once(f"job {job.id}", text)
        return None

    def _forget(self, uploads: set[str]) -> None:
        """Forget deleted files, so that they are uploaded again when they change."""
        self.upload_cache.forget(uploads)
        self.used -= uploads
        self.pending = [upload for upload in self.pending if upload not in uploads]

    def _unwritten(self, file: FileState) -> list[str]:
        """Return the formats in which a complete transcript has not been written yet."""
        if self.ledger is None or file.status != "complete" or file.id in self._gone:
            return []
        return [format for format in self.cli_options.formats if f"{file.id}.{format}" not in self.ledger]

    def _write(self, file: FileState) -> bool:
        """Write pending transcripts; return whether nothing is left."""
        if self.cli_options.out is None or self.ledger is None:
            return True
        for format in self._unwritten(file):
            key = f"{file.id}.{format}"
            try:
                content = self.client.export(file.id, format)
                place = exports.write(
                    exports.target(self.cli_options.out, file.name, format),
                    content,
                    overwrite=self.cli_options.overwrite,
                )
                self.ledger.note(key)
            except Refused as refusal:
                if refusal.code != "NOT_FOUND":
                    raise
                self._say_once(f"out {file.id}", f"{file.name}: The transcript was deleted.")
                self._gone.add(file.id)
                return True
            except OSError as failure:
                self._say_once(
                    f"out {key}", f"{failure.filename or self.cli_options.out}: {failure.strerror}."
                )
                return False
            self.reporter.say(f"{file.name}: {place}")
        return True

    def _say_once(self, key: str, text: str) -> None:
        if key not in self._said:
            self._said.add(key)
            self.reporter.say(text)


def _named(job: JobState, names: Mapping[str, str]) -> list[FileState]:
    """Return the files of a job, named by their paths."""
    return [replace(file, name=names.get(file.upload, file.name)) for file in job.files]
