"""manage.py demo: transcribe the demo recording end to end, in the terminal."""

import socket
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bulktranscribe.environment import BASE_DIR
from bulktranscribe.management.commands.up import Interrupt, prepare
from bulktranscribe.runtime import supervisor
from bulktranscribe.sign_in import make_owner
from gpu_worker.shared.protocol import Options
from gpu_worker.shared.transcript import clock
from jobs import batches
from jobs.api.serializers import status_text
from jobs.models import JobInput, Session
from jobs.statuses import ENDED, InputStatus
from jobs.uploads import ingest
from review import timeline

RECORDING = BASE_DIR / "bulktranscribe" / "demo" / "recording.ogg"
PATIENCE_SECONDS = 1800


class Command(BaseCommand):
    help = "Transcribe the demo recording end to end and print the transcript. Exit with 0 if it completes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", default=settings.LOCAL_WORKER_MODEL)

    def handle(self, *args: Any, **options: Any) -> None:
        console, interrupt = Console(), Interrupt()
        with running_stack(self, interrupt):
            started = time.monotonic()
            job_input = start(RECORDING, options["model"])
            watch(job_input, console, interrupt)
            seconds = time.monotonic() - started
        if job_input.status != InputStatus.COMPLETE:
            raise CommandError(failure_of(job_input))
        print_transcript(job_input, console)
        audio = job_input.transcript.duration
        console.print(
            f"\n{audio:.0f} s of audio in {seconds:.1f} s, from upload to transcript.", highlight=False
        )


@contextmanager
def running_stack(command: BaseCommand, interrupt: Interrupt) -> Iterator[None]:
    """Use the running processes of this DATA_DIR, or start them temporarily."""
    if supervisor.is_running():
        yield
        return
    choose_free_ports()
    prepare(command)
    interrupt.check()
    command.stdout.write("Starting web, Celery, and the worker…")
    try:
        with supervisor.Stack(command.stdout.write) as processes:
            processes.wait_ready()
            yield
    except supervisor.StackError as problem:
        raise CommandError(str(problem)) from problem


def choose_free_ports() -> None:
    """Choose free ports, since another installation may use the defaults."""
    if supervisor.is_free(settings.WEB_PORT) and supervisor.is_free(8478):
        return
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        web, worker = first.getsockname()[1], second.getsockname()[1]
    settings.WEB_PORT = web
    settings.LOCAL_CONTROLLER_URL = settings.CONTROLLER_BASE_URL = f"http://127.0.0.1:{web}"
    settings.LOCAL_WORKER_URL = f"http://127.0.0.1:{worker}"


def start(recording: Path, model: str) -> JobInput:
    """Upload the recording to a separate session and queue a job."""
    session = Session.objects.create(owner=make_owner(), name="Demo")
    upload = ingest.receive_path(session, recording)
    options = Options(model=model, diarization_enabled=True)
    job = batches.create_job(session, [upload], options, use_remote=False, created_by=session.owner)
    return job.inputs.get()


def watch(job_input: JobInput, console: Console, interrupt: Interrupt) -> None:
    """Show a bar until the file has ended."""
    columns = (TextColumn("{task.description:32}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("", total=100.0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while job_input.status not in ENDED and time.monotonic() < deadline:
            time.sleep(0.2)
            interrupt.check()
            job_input.refresh_from_db()
            show(progress, bar, job_input)


def show(progress: Progress, bar: TaskID, job_input: JobInput) -> None:
    done = job_input.status == InputStatus.COMPLETE
    progress.update(bar, description=status_text(job_input), completed=100.0 if done else job_input.percent)


def failure_of(job_input: JobInput) -> str:
    """Return what went wrong and what to do."""
    text = job_input.error_text
    if text is None:
        return f"The job did not finish within {PATIENCE_SECONDS // 60} minutes."
    return f"{text.sentence} {text.hint} ({job_input.error_code}: {job_input.error_message})"


def print_transcript(job_input: JobInput, console: Console) -> None:
    """Print one line per segment, with its start and speaker, if known."""
    console.print()
    for segment in timeline.of(job_input.transcript).segments:
        speaker = f"{segment.speaker}  " if segment.speaker else ""
        line = f"{clock(segment.start)}  {speaker}{segment.text}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
