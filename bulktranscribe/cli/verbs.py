"""The commands, shared by `manage.py` and `python -m bulktranscribe.cli`; each returns the exit code."""

import argparse
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from rich.console import Console

from bulktranscribe.cli import flow, folder, options, outcomes, progress
from bulktranscribe.cli import watch as watching
from bulktranscribe.cli.client import Client, FileState, JobOptions, Refused, Unreachable
from bulktranscribe.cli.folder import Found, NoSuchFile

ClientFor = Callable[[argparse.Namespace], Client]
Verb = Callable[[ClientFor, argparse.Namespace, Console], int]


def _told(verb: Verb) -> Callable[[ClientFor, argparse.Namespace], int]:
    """Run a command; print errors to stderr."""

    @wraps(verb)
    def run(client_for: ClientFor, said: argparse.Namespace) -> int:
        console = Console(highlight=False, emoji=False)
        try:
            return verb(client_for, said, console)
        except (NoSuchFile, Refused) as wrong:
            text, code = str(wrong), outcomes.WRONG_USAGE
        except Unreachable as silence:
            text, code = f"{silence} Run the same command again later to resume.", outcomes.SOME_FAILED
        except KeyboardInterrupt:
            text, code = "Interrupted.", outcomes.INTERRUPTED
        progress.plain(Console(stderr=True, highlight=False, emoji=False), text)
        return code

    return run


@_told
def transcribe(client_for: ClientFor, said: argparse.Namespace, console: Console) -> int:
    """Transcribe files and folders."""
    found = folder.named(said.paths)
    if not found:
        raise NoSuchFile(
            f"No recordings found in {', '.join(map(str, said.paths))}. "
            "Files that are named individually are always accepted."
        )
    return flow.transcribe(client_for(said), found, options.cli_options_of(said), console)


@_told
def watch(client_for: ClientFor, said: argparse.Namespace, console: Console) -> int:
    """Transcribe what appears in a folder, until Ctrl-C."""
    if not said.folder.is_dir():
        raise NoSuchFile(f"{said.folder} is not a folder.")
    return watching.watch(client_for(said), said.folder.resolve(), options.cli_options_of(said), console)


@_told
def status(client_for: ClientFor, said: argparse.Namespace, console: Console) -> int:
    """Print the status of the jobs of a session. Return 0 only if every file is complete."""
    client = client_for(said)
    session = client.open_session(said.session, make=False)
    jobs = list(client.jobs(session))
    names = {one.id: one.relative for one in client.remote_files(session)}
    progress.plain(console, f"“{said.session}”, {client.address(session)}")
    for job in jobs:
        progress.plain(console, f"Job {job.number}: {job.words}; {progress.summary(job.files)}")
        for file in job.files:
            how = f"{file.words} {file.percent:.0f}%" if file.status == "running" else file.words
            progress.plain(
                console, "\t".join((f"  {names.get(file.upload, file.name)}", how, file.error)).rstrip()
            )
    if notice := client.notice(session):
        progress.plain(console, notice)
    is_complete = all(file.status == "complete" for job in jobs for file in job.files)
    return outcomes.COMPLETE if is_complete else outcomes.SOME_FAILED


@_told
def fetch(client_for: ClientFor, said: argparse.Namespace, console: Console) -> int:
    """Download the newest transcript of each recording. Return 0 only if every recording has one."""
    client = client_for(said)
    session = client.open_session(said.session, make=False)
    names = {one.id: one.relative for one in client.remote_files(session)}
    latest: dict[str, FileState] = {}
    for file in (file for job in client.jobs(session) for file in job.files):
        if file.upload not in latest or (file.status == "complete" != latest[file.upload].status):
            latest[file.upload] = file
    cli_options = options.CliOptions(said.session, JobOptions(), said.format, said.out, said.overwrite)
    items = [
        outcomes.Item(Found(Path(), names.get(file.upload, file.name)), file.upload, file)
        for file in latest.values()
    ]
    for item in items:
        outcomes.write(client, item, cli_options)
    outcomes.tell(console, items)
    return outcomes.exit_code(items)
