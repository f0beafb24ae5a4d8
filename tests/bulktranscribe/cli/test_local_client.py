"""The command line's client in this process, and what its reader sees."""

import io
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rich.console import Console

from bulktranscribe.cli import folder, outcomes
from bulktranscribe.cli.client import Changed, FileState, JobOptions, Refused, Source, Unreachable
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.outcomes import Item
from bulktranscribe.cli.progress import Bars, summary
from bulktranscribe.cli.uploading import start_once
from bulktranscribe.local_client import LocalClient
from jobs.models import Job, Session, Upload
from remoteworker import clock
from remoteworker.models import Worker


@pytest.fixture
def cli_client(person: User) -> LocalClient:
    return LocalClient(person)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "mill.mp3"
    path.write_bytes(b"mill")
    return folder.look(Found(path, "valley/day 2/mill.mp3"))


def nothing(_done: int) -> None:
    pass


def test_a_file_keeps_its_folders(cli_client: LocalClient, session: Session, source: Source) -> None:
    cli_client.send(str(session.pk), source, nothing)
    upload = Upload.objects.get()
    assert (upload.folder, upload.name, upload.path.read_bytes()) == ("valley/day 2", "mill.mp3", b"mill")
    assert cli_client.remote_files(str(session.pk))[0].relative == source.relative


def test_of_a_file_that_grows_meanwhile_nothing_is_kept(
    cli_client: LocalClient, session: Session, source: Source
) -> None:
    source.path.write_bytes(b"mill, and more")
    before = sorted(Path(settings.DATA_DIR).rglob("*"))
    with pytest.raises(Changed):
        cli_client.send(str(session.pk), source, nothing)
    assert not Upload.objects.exists()
    assert sorted(Path(settings.DATA_DIR).rglob("*")) == before


def test_nobody_at_work_is_said_at_once(cli_client: LocalClient, session: Session, worker: Worker) -> None:
    assert "Celery is not running" in cli_client.notice(str(session.pk))
    clock.follow("dispatch_queued")
    assert cli_client.notice(str(session.pk)) == ""
    Worker.objects.update(is_connected=False)
    assert "unreachable" in cli_client.notice(str(session.pk))


def test_sessions_of_others_are_none_of_ones_own(
    cli_client: LocalClient, session: Session, stranger: User
) -> None:
    theirs = LocalClient(stranger)
    assert theirs.open_session(session.name) != str(session.pk)
    with pytest.raises(Refused):
        theirs.remote_files(str(session.pk))


@pytest.mark.parametrize(
    ("user", "formats", "why"),
    [("nobody", ["txt"], "User not found: nobody"), ("anna", ["xyz"], "Unknown format “xyz”")],
)
def test_wrong_words_are_refused_before_anything_is_begun(
    person: User, user: str, formats: list[str], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        LocalClient.of(Namespace(user=user, format=formats))


def test_an_unknown_model_is_refused(cli_client: LocalClient, session: Session, source: Source) -> None:
    upload = cli_client.send(str(session.pk), source, nothing).id
    with pytest.raises(Refused, match="Unknown model: “colossal”"):
        cli_client.start(str(session.pk), [upload], JobOptions(model="colossal"))


def test_a_lost_answer_starts_no_second_job(
    cli_client: LocalClient, session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = cli_client.send(str(session.pk), source, nothing).id
    start: Callable[..., object] = cli_client.start

    def lost(*args: object) -> None:
        start(*args)
        raise Unreachable("The answer was lost.")

    monkeypatch.setattr(cli_client, "start", lost)
    job = start_once(cli_client, str(session.pk), [upload], JobOptions(), after=0)
    assert str(Job.objects.get().pk) == job.id


def states() -> list[FileState]:
    done = FileState("1", "u1", "[red]a.mp3", "complete", "", "Complete", 100.0, None, "")
    running = FileState("2", "u2", "b.mp3", "running", "transcribing", "Transcribing", 40.0, 90.0, "")
    failed = FileState("3", "u3", "c.mp3", "failed", "", "Failed", 0.0, None, "It holds no sound. (NO_AUDIO)")
    return [done, running, failed]


def test_how_far_it_is_is_said_in_words() -> None:
    assert summary(states()) == "2 of 3 done, 1 failed, about 2 min left"


def test_a_terminal_gets_bars_and_a_table() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, highlight=False)
    bars = Bars(console)
    bars.sending("a.mp3", 5, 10, 1, 2)
    bars.sending("b.mp3", 10, 10, 2, 2)
    bars.files(states())
    bars.say("[bold]as it is")
    bars.close()
    items = [Item(Found(Path(), state.name), state.upload, state) for state in states()]
    outcomes.tell(console, items)
    shown = screen.getvalue()
    for text in (
        "All files",
        "Transcribing",
        "[bold]as it is",
        "[red]a.mp3",
        "It holds no sound. (NO_AUDIO)",
    ):
        assert text in shown
    assert outcomes.exit_code(items) == 1
    assert outcomes.exit_code(items[:1]) == 0
