"""Jobs, files and sessions that people delete while the command line follows them, here and elsewhere."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from bulktranscribe.cli import flow, outcomes, verbs, watch
from bulktranscribe.cli.client import Client, JobOptions, Refused
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.progress import Lines
from bulktranscribe.cli.watch import Watcher
from jobs import trash
from jobs.models import Job, JobInput, Session, Upload

Start = Callable[..., Watcher]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(cli_client: Client, session: Session, tmp_path: Path, said: list[str]) -> Start:
    """Start a watch of `tmp_path`/in."""
    (tmp_path / "in").mkdir()
    order = CliOptions(session.name, JobOptions(model="base"), ["txt"], tmp_path / "out")
    return lambda: Watcher(cli_client, str(session.pk), tmp_path / "in", order, Lines(said.append))


def put(tmp_path: Path, *names: str) -> None:
    for name in names:
        (tmp_path / "in" / name).write_bytes(name.encode())


def delete(job: Job) -> None:
    trash.delete_job(job, "anna", with_recordings=True)


def transcribe(cli_client: Client, session: Session, tmp_path: Path) -> tuple[int, str]:
    """What the command answers and prints."""
    (tmp_path / "in").mkdir(exist_ok=True)
    put(tmp_path, "a.mp3", "b.mp3")
    page = io.StringIO()
    order = CliOptions(session.name, JobOptions(model="base"), cancel_on_interrupt=True)
    found = verbs.folder.named([tmp_path / "in" / "a.mp3", tmp_path / "in" / "b.mp3"])
    try:
        return flow.transcribe(cli_client, found, order, Console(file=page)), page.getvalue()
    except Refused as refusal:  # the verb would say 2: nothing was begun
        return outcomes.WRONG_USAGE, str(refusal)


def at_the_first_pause(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    monkeypatch.setattr(flow, "time", SimpleNamespace(sleep=lambda _seconds: happens()))


def test_files_of_a_deleted_job_are_named_at_the_end(
    cli_client: Client, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_is_complete() -> None:
        JobInput.objects.filter(upload__name="a.mp3").update(status="complete")
        at_the_first_pause(monkeypatch, lambda: delete(Job.objects.get()))

    at_the_first_pause(monkeypatch, one_is_complete)
    code, printed = transcribe(cli_client, session, tmp_path)
    assert code == 1
    rows = printed.splitlines()[-2:]
    assert rows[0] == "complete\ta.mp3"
    assert rows[1].startswith("not complete\tb.mp3\tJob 1 was deleted")


def test_a_ctrl_c_after_a_job_was_deleted_is_a_ctrl_c(
    cli_client: Client, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        delete(Job.objects.get())
        raise KeyboardInterrupt

    at_the_first_pause(monkeypatch, interrupted)
    assert transcribe(cli_client, session, tmp_path)[0] == 130


def test_a_file_that_is_deleted_before_its_job_begins_leaves_the_others(
    cli_client: Client, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = cli_client.start

    def late(*args: object) -> object:
        monkeypatch.setattr(cli_client, "start", begin)
        trash.delete_upload(Upload.objects.get(name="a.mp3"))
        return begin(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(cli_client, "start", late)
    at_the_first_pause(monkeypatch, lambda: JobInput.objects.update(status="complete"))
    code, printed = transcribe(cli_client, session, tmp_path)
    assert code == 1
    rows = printed.splitlines()[-2:]
    assert rows[0].startswith("not started\ta.mp3\tThe file was deleted before its job started")
    assert rows[1] == "complete\tb.mp3"


def test_a_watch_goes_on_without_a_deleted_job(start: Start, tmp_path: Path, said: list[str]) -> None:
    watcher = start()
    put(tmp_path, "a.mp3", "b.mp3")
    watcher.tick(0)
    watcher.tick(6)
    delete(Job.objects.get())
    for second in range(7, 10):
        assert watcher.tick(second)
    assert [line for line in said if "deleted" in line] == [
        "Job 1 was deleted. Files that were not complete are not transcribed."
    ]
    assert watcher.has_failures
    put(tmp_path, "c.mp3")
    (tmp_path / "in" / "a.mp3").touch()  # wanted after all
    watcher.tick(10)
    watcher.tick(16)
    (job,) = Job.objects.filter(deleted_at=None)
    assert sorted(job.inputs.values_list("upload__name", flat=True)) == ["a.mp3", "c.mp3"]


def test_a_watch_starts_its_job_without_a_deleted_file(
    start: Start, cli_client: Client, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = cli_client.start

    def late(*args: object) -> object:
        monkeypatch.setattr(cli_client, "start", begin)
        trash.delete_upload(Upload.objects.get(name="a.mp3"))
        return begin(*args)  # type: ignore[arg-type]

    watcher = start()
    put(tmp_path, "a.mp3", "b.mp3")
    monkeypatch.setattr(cli_client, "start", late)
    for second in range(0, 10, 2):
        watcher.tick(second)
    assert JobInput.objects.get().upload.name == "b.mp3"
    assert len([line for line in said if line.startswith("a.mp3: The file was deleted")]) == 1
    assert watcher.has_failures
    (tmp_path / "in" / "a.mp3").touch()
    watcher.tick(10)
    watcher.tick(16)
    assert Job.objects.count() == 2
    assert not watcher.has_failures


def test_a_transcript_that_is_gone_before_it_is_written_is_named_once(
    start: Start, tmp_path: Path, said: list[str]
) -> None:
    watcher = start()
    put(tmp_path, "a.mp3")
    watcher.tick(0)
    watcher.tick(6)
    JobInput.objects.update(status="complete")  # and no transcript of it
    for second in range(7, 10):
        watcher.tick(second)
    assert watcher.tick(10)
    assert [line for line in said if "a.mp3: The transcript was deleted" in line] == [said[-1]]
    assert watcher.has_failures


def test_a_watch_of_a_deleted_session_ends_and_says_so(
    cli_client: Client, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    put(tmp_path, "a.mp3")

    def happens(_seconds: float) -> None:
        if Job.objects.exists():
            trash.delete_session(session, "anna")

    now = iter(range(0, 1000, 3))
    monkeypatch.setattr(watch, "time", SimpleNamespace(sleep=happens, monotonic=lambda: next(now)))
    page = io.StringIO()
    order = CliOptions(session.name, JobOptions(model="base"))
    assert watch.watch(cli_client, tmp_path / "in", order, Console(file=page)) == 1
    assert "The session was deleted." in page.getvalue()
