"""The verbs, for `manage.py` and `python -m bulktranscribe.cli` alike: each returns the exit code."""

import argparse
from collections.abc import Callable
from functools import wraps
from pathlib import Path

from rich.console import Console

from bulktranscribe.cli import flow, folder, options, outcomes, progress
from bulktranscribe.cli import watch as watching
from bulktranscribe.cli.client import Desk, FileState, Refused, Unreachable, Wish
from bulktranscribe.cli.folder import Found, NoSuchFile

DeskFor = Callable[[argparse.Namespace], Desk]
Verb = Callable[[DeskFor, argparse.Namespace, Console], int]


def _told(verb: Verb) -> Callable[[DeskFor, argparse.Namespace], int]:
    """Run a verb; say on stderr why it could not begin or go on."""

    @wraps(verb)
    def run(desk_for: DeskFor, said: argparse.Namespace) -> int:
        console = Console(highlight=False, emoji=False)
        try:
            return verb(desk_for, said, console)
        except (NoSuchFile, Refused) as wrong:
            text, code = str(wrong), outcomes.WRONG_USAGE
        except Unreachable as silence:
            text, code = f"{silence} Run the same command again later: it goes on.", outcomes.SOME_FAILED
        except KeyboardInterrupt:
            text, code = "Interrupted.", outcomes.INTERRUPTED
        progress.plain(Console(stderr=True, highlight=False, emoji=False), text)
        return code

    return run


@_told
def transcribe(desk_for: DeskFor, said: argparse.Namespace, console: Console) -> int:
    """Files and folders into transcripts."""
    found = folder.named(said.paths)
    if not found:
        raise NoSuchFile(
            f"No recordings in {', '.join(map(str, said.paths))}. Files named one by one are always taken."
        )
    return flow.transcribe(desk_for(said), found, options.order_of(said), console)


@_told
def watch(desk_for: DeskFor, said: argparse.Namespace, console: Console) -> int:
    """What appears in a folder, until Ctrl-C."""
    if not said.folder.is_dir():
        raise NoSuchFile(f"{said.folder} is no folder.")
    return watching.watch(desk_for(said), said.folder.resolve(), options.order_of(said), console)


@_told
def status(desk_for: DeskFor, said: argparse.Namespace, console: Console) -> int:
    """Where the jobs of a session stand. 0 only where every file is complete."""
    desk = desk_for(said)
    session = desk.open_session(said.session, make=False)
    jobs = list(desk.jobs(session))
    names = {one.id: one.relative for one in desk.held(session)}
    progress.plain(console, f"“{said.session}”, {desk.address(session)}")
    for job in jobs:
        progress.plain(console, f"Job {job.number}: {job.words}; {progress.summary(job.files)}")
        for file in job.files:
            how = f"{file.words} {file.percent:.0f} %" if file.status == "running" else file.words
            progress.plain(
                console, "\t".join((f"  {names.get(file.upload, file.name)}", how, file.error)).rstrip()
            )
    if notice := desk.notice(session):
        progress.plain(console, notice)
    is_complete = all(file.status == "complete" for job in jobs for file in job.files)
    return outcomes.COMPLETE if is_complete else outcomes.SOME_FAILED


@_told
def fetch(desk_for: DeskFor, said: argparse.Namespace, console: Console) -> int:
    """The transcripts of a session into files: of each recording the newest. 0 only where every one has one."""
    desk = desk_for(said)
    session = desk.open_session(said.session, make=False)
    names = {one.id: one.relative for one in desk.held(session)}
    latest: dict[str, FileState] = {}
    for file in (file for job in desk.jobs(session) for file in job.files):
        if file.upload not in latest or (file.status == "complete" != latest[file.upload].status):
            latest[file.upload] = file
    order = options.Order(said.session, Wish(), said.format, said.out, said.overwrite)
    items = [
        outcomes.Item(Found(Path(), names.get(file.upload, file.name)), file.upload, file)
        for file in latest.values()
    ]
    for item in items:
        outcomes.write(desk, item, order)
    outcomes.tell(console, items)
    return outcomes.exit_code(items)
