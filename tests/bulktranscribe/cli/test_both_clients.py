"""The client in this process and the one elsewhere see the same, also with more files than one page shows."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bulktranscribe.cli import flow, outcomes, uploading, verbs
from bulktranscribe.cli.client import Client, JobOptions, RemoteFile, Unreachable, unsaid
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.outcomes import Item
from bulktranscribe.cli.progress import Lines
from bulktranscribe.cli.watch import Watcher
from gpu_worker.shared.protocol import Options
from jobs import batches
from jobs.models import Job, JobInput, Session, Upload

MANY = 60
JOB_OPTIONS = JobOptions(model="base")
JobOver = Callable[[Sequence[Found], str], Job]


@pytest.fixture
def recordings(tmp_path: Path) -> list[Found]:
    """Files of this machine."""
    places = [tmp_path / f"{number:02}.wav" for number in range(MANY)]
    for place in places:
        place.write_bytes(place.name.encode())
    return [Found(place, place.name) for place in places]


@pytest.fixture
def job_over(session: Session, upload_of: Callable[..., Upload]) -> JobOver:
    """Make a job over recordings that the session gets, all of them in this status."""

    def make(some: Sequence[Found], status: str) -> Job:
        uploads = [upload_of(each.relative, each.path.read_bytes()) for each in some]
        options = Options(model="base", diarization_enabled=True)
        job = batches.create_job(session, uploads, options, use_remote=False, created_by=session.owner)
        JobInput.objects.filter(job=job).update(status=status)
        Job.objects.filter(pk=job.pk).update(status=status)
        return job

    return make


def test_a_failed_file_of_an_older_job_is_seen(
    cli_client: Client, session: Session, recordings: list[Found], job_over: JobOver
) -> None:
    job_over(recordings[:10], "failed")
    job_over(recordings[10:], "complete")
    assert [len(job.files) for job in cli_client.jobs(str(session.pk))] == [MANY - 10, 10]
    assert verbs.status(lambda _said: cli_client, Namespace(session=session.name)) == 1


def test_of_a_large_job_no_file_is_begun_again(
    cli_client: Client, session: Session, recordings: list[Found], job_over: JobOver
) -> None:
    job_over(recordings, "complete")
    run = flow.Run(
        cli_client, [Item(each) for each in recordings], CliOptions(session.name, JOB_OPTIONS), Lines(unsaid)
    )
    run.begin()
    assert Job.objects.count() == 1
    run.follow()
    assert outcomes.exit_code(run.items) == 0


def test_a_job_that_somebody_starts_while_files_are_sent_is_followed(
    cli_client: Client,
    session: Session,
    recordings: list[Found],
    job_over: JobOver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier = job_over(recordings[:1], "complete")
    send = cli_client.send

    def meanwhile(*args: Any) -> RemoteFile:
        monkeypatch.setattr(cli_client, "send", send)
        held = send(*args)
        cli_client.start(str(session.pk), [held.id], JOB_OPTIONS)
        return held

    monkeypatch.setattr(cli_client, "send", meanwhile)
    run = flow.Run(
        cli_client,
        [Item(each) for each in recordings[1:2]],
        CliOptions(session.name, JOB_OPTIONS),
        Lines(unsaid),
    )
    run.begin()
    assert Job.objects.exclude(pk=earlier.pk).count() == 1


def test_every_transcript_of_a_large_job_is_fetched(
    cli_client: Client,
    session: Session,
    recordings: list[Found],
    job_over: JobOver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_over(recordings, "complete")
    monkeypatch.setattr(cli_client, "export", lambda *_args: b"Said.")
    said = Namespace(session=session.name, out=tmp_path / "out", format=["txt"], overwrite=False)
    assert verbs.fetch(lambda _said: cli_client, said) == 0
    assert len(list((tmp_path / "out").iterdir())) == MANY


def test_a_watch_that_is_started_again_knows_every_file_of_a_large_job(
    cli_client: Client, session: Session, recordings: list[Found], job_over: JobOver, tmp_path: Path
) -> None:
    job_over(recordings, "complete")
    watcher = Watcher(
        cli_client, str(session.pk), tmp_path, CliOptions(session.name, JOB_OPTIONS), Lines(unsaid)
    )
    watcher.tick(0)
    assert watcher.tick(6)
    assert Job.objects.count() == 1


def test_only_jobs_with_files_that_go_on_are_asked_after(
    cli_client: Client,
    session: Session,
    recordings: list[Found],
    job_over: JobOver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_over(recordings[:1], "complete")
    others = job_over(recordings[1:], "running")
    mine = others.inputs.order_by("position")[0]
    JobInput.objects.filter(pk=mine.pk).update(status="complete")
    job = job_over(recordings[:1], "running")  # as once more with --again
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        JobInput.objects.filter(job=job).update(status="complete")

    asked: list[str] = []
    ask = cli_client.job
    monkeypatch.setattr(flow, "time", SimpleNamespace(sleep=pause))
    monkeypatch.setattr(cli_client, "job", lambda pk: asked.append(pk) or ask(pk))
    run = flow.Run(
        cli_client,
        [Item(each) for each in recordings[:2]],
        CliOptions(session.name, JOB_OPTIONS),
        Lines(unsaid),
    )
    run.begin()
    run.follow()
    assert asked == [str(job.pk)]
    assert pauses == [flow.POLL_SECONDS + 1 / flow.A_SECOND_MORE_FOR]
    assert outcomes.exit_code(run.items) == 0


def test_a_lost_answer_starts_no_second_job(
    cli_client: Client,
    session: Session,
    recordings: list[Found],
    job_over: JobOver,
    upload_of: Callable[..., Upload],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier = job_over(recordings[:1], "complete")
    uploads = [str(upload_of(f"new {number}", b"new %d" % number).pk) for number in range(MANY)]
    start: Callable[..., object] = cli_client.start

    def lost(*args: object) -> None:
        monkeypatch.setattr(cli_client, "start", start)
        start(*args)
        raise Unreachable("The answer was lost.")

    monkeypatch.setattr(cli_client, "start", lost)
    job = uploading.start_once(cli_client, str(session.pk), uploads, JOB_OPTIONS, after=earlier.number)
    assert [str(one.pk) for one in Job.objects.exclude(pk=earlier.pk)] == [job.id]
