"""`transcribe`: upload files, start and follow a job, write transcripts as they complete."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from rich.console import Console

from bulktranscribe.cli import folder, outcomes, uploading
from bulktranscribe.cli.client import Changed, Client, FileState, JobState, Refused
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.outcomes import Item
from bulktranscribe.cli.progress import Reporter, reporter_for

Answer = TypeVar("Answer")
POLL_SECONDS = 1.0
A_SECOND_MORE_FOR = 200  # files in the jobs: their states are one answer, of half a kilobyte each


def transcribe(client: Client, found: Sequence[Found], cli_options: CliOptions, console: Console) -> int:
    """Transcribe these files and return the exit code. Raises Refused, Unreachable if nothing could be started."""
    reporter = reporter_for(console)
    run = Run(client, [Item(each) for each in found], cli_options, reporter)
    try:
        run.begin()
        run.follow()
    except KeyboardInterrupt:
        reporter.close()
        run.interrupted()
        return outcomes.INTERRUPTED
    finally:
        reporter.close()
    outcomes.tell(console, run.items)
    return outcomes.exit_code(run.items)


class Run:
    """One run of `transcribe`."""

    def __init__(
        self, client: Client, items: list[Item], cli_options: CliOptions, reporter: Reporter
    ) -> None:
        self.client, self.items, self.cli_options, self.reporter = client, items, cli_options, reporter
        self.session = ""
        self.jobs: dict[str, JobState] = {}  # those that have the files, by their ids
        self.job_of: dict[str, str] = {}  # by upload: the job that transcribes it
        self.by_upload: dict[str, list[Item]] = {}  # several where the same recording lies in several places
        self.used: set[str] = set()  # uploads that some job had before this began
        self.before = 0  # the number of the newest job then

    def begin(self) -> None:
        """Upload the files and make sure that each is in a job."""
        self.session = self._patiently(partial(self.client.open_session, self.cli_options.session))
        self.before = self._patiently(self._newest)
        self._send()
        newest = self._patiently(self._join)
        if (job := self._start(newest)) is not None:
            if self.cli_options.job_options.use_remote and job.runs_on != "remote":
                self.reporter.say("This server has no remote GPU workers; --gpu has no effect.")
            self.reporter.say(
                f"Job {job.number} of “{self.cli_options.session}”: {self.client.address(self.session)}"
            )
        if self.job_of and (notice := self.client.notice(self.session)):
            self.reporter.say(notice)

    def _send(self) -> None:
        upload_cache = uploading.UploadCache(self.client, self.session)
        for number, item in enumerate(self.items, 1):
            try:
                source = folder.look(item.found)
                remote_file = upload_cache.bring(source, self.reporter, number, len(self.items))
            except Changed as changed:
                waiting = "The file is still being written. Run this command again when it is complete."
                item.problem = f"{waiting} {changed}".rstrip()
            except OSError as failure:
                item.problem = f"Cannot read the file: {failure.strerror or failure}."
            except Refused as refusal:
                item.problem = str(refusal)
            if item.problem:
                self.reporter.say(f"{item.found.relative}: {item.problem}")
                continue
            item.upload = remote_file.id
            self.by_upload.setdefault(remote_file.id, []).append(item)
            if not remote_file.is_new:
                self.used.add(remote_file.id)

    def _newest(self) -> int:
        """Return the number of the newest job, 0 if there is none."""
        return next((job.number for job in self.client.jobs(self.session)), 0)

    def _join(self) -> int:
        """Join existing jobs with the same options, so that running the same command again resumes.

        Return the number of the newest job.
        """
        newest = 0
        for job in self.client.jobs(self.session):
            newest = newest or job.number
            wanted = self.by_upload.keys() - self.job_of.keys()
            if job.number <= self.before:
                wanted &= self.used  # the others can only be in later jobs, of someone who uploads them too
            if (
                self.cli_options.again or not wanted
            ):  # each job that is read is a question to the installation
                break
            if job.suits(self.cli_options.job_options):
                going = [file.upload for file in job.files if file.status == "complete" or not file.has_ended]
                self._take(job, [upload for upload in going if upload in wanted])
        return newest

    def _start(self, newest: int) -> JobState | None:
        """Start a job for the files without one; None if there are none."""
        while uploads := [upload for upload in self.by_upload if upload not in self.job_of]:
            try:
                job = uploading.start_once(
                    self.client, self.session, uploads, self.cli_options.job_options, newest
                )
            except uploading.Gone as gone:
                for item in (item for upload in gone.uploads for item in self.by_upload.pop(upload)):
                    item.problem = f"{gone} Run this command again to upload it again."
                continue
            self._take(job, uploads)
            return job
        return None

    def _take(self, job: JobState, uploads: Sequence[str]) -> None:
        if uploads:
            self.jobs[job.id] = job
            self.job_of.update(dict.fromkeys(uploads, job.id))

    def follow(self) -> None:
        """Wait until all files have ended, writing each transcript when it is complete."""
        while self.jobs:
            files = self._files()
            self.reporter.files(files)
            for file in files:
                self._note(file)
            going_on = self._going_on()
            if not going_on:
                return
            time.sleep(POLL_SECONDS + sum(len(job.files) for job in going_on) / A_SECOND_MORE_FOR)
            for job in going_on:
                try:
                    self.jobs[job.id] = self._patiently(partial(self.client.job, job.id))
                except Refused as refusal:
                    self._lose(job, refusal)

    def _lose(self, job: JobState, refusal: Refused) -> None:
        """Record on the unfinished files of a job that it can no longer be followed."""
        why = str(refusal)
        if refusal.code == "NOT_FOUND":
            why = f"Job {job.number} was deleted, or its session was."
        self.reporter.say(why)
        del self.jobs[job.id]
        for item in (item for file in self._mine(job) for item in self.by_upload[file.upload]):
            if item.state is None or not item.state.has_ended:
                item.problem = why

    def _files(self) -> list[FileState]:
        """Return the files in all their jobs, named by their paths."""
        mine = [file for job in self.jobs.values() for file in self._mine(job)]
        return [replace(file, name=self.by_upload[file.upload][0].found.relative) for file in mine]

    def _mine(self, job: JobState) -> list[FileState]:
        return [file for file in job.files if self.job_of.get(file.upload) == job.id]

    def _going_on(self) -> list[JobState]:
        """Return the jobs with unfinished files."""
        return [job for job in self.jobs.values() if not all(file.has_ended for file in self._mine(job))]

    def _note(self, file: FileState) -> None:
        for item in self.by_upload[file.upload]:
            if item.state is None or not item.state.has_ended:
                item.state = file
                outcomes.write(self.client, item, self.cli_options, self.reporter.say)

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        return uploading.patiently(ask, self.reporter.say)

    def interrupted(self) -> None:
        """Report what continues to run, and how to follow or cancel it."""
        open_jobs = self._going_on()
        if not open_jobs:
            self.reporter.say(
                "Interrupted. Run the same command again to resume; uploaded files are not uploaded again."
            )
        elif self.cli_options.cancel_on_interrupt:
            for job in open_jobs:
                with suppress(Refused):  # it has ended meanwhile, or is gone
                    self.client.cancel(job.id)
            self.reporter.say("Interrupted. The job was canceled.")
        else:
            where = self.client.address(self.session)
            self.reporter.say(
                "Interrupted. The job continues to run. Run the same command again to follow it. "
                f"To cancel it, open {where}"
            )
