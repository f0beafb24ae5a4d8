"""A watched folder: each file once and whole, through restarts and whatever else happens to files."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from bulktranscribe.cli import folder, watch
from bulktranscribe.cli.client import JobOptions, Source, Unreachable
from bulktranscribe.cli.folder import Found
from bulktranscribe.cli.options import CliOptions
from bulktranscribe.cli.progress import Lines
from bulktranscribe.cli.watch import Watcher
from bulktranscribe.local_client import LocalClient
from jobs.models import Job, Session, Upload

Start = Callable[[], Watcher]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cli_client(person: User) -> LocalClient:
    return LocalClient(person)


@pytest.fixture
def start(cli_client: LocalClient, session: Session, tmp_path: Path, said: list[str]) -> Start:
    """Start a watch of `tmp_path`, as after a restart where there was one."""
    order = CliOptions(session=session.name, job_options=JobOptions(model="base"), settle_seconds=5)
    return lambda: Watcher(
        cli_client, cli_client.open_session(session.name), tmp_path, order, Lines(said.append)
    )


def names() -> list[str]:
    return sorted(Upload.objects.values_list("name", flat=True))


def test_a_file_written_slowly_is_taken_once_and_whole(start: Start, tmp_path: Path) -> None:
    watcher, path = start(), tmp_path / "mill.mp3"
    for second in range(0, 12, 3):
        with path.open("ab") as file:
            file.write(b"more" * 100)
        watcher.tick(second)
        assert not Upload.objects.exists()
    for second in range(12, 30):
        watcher.tick(second)
    upload = Upload.objects.get()
    assert (upload.size_bytes, upload.path.read_bytes()) == (1600, b"more" * 400)
    assert Job.objects.get().inputs.get().upload == upload


def test_a_restart_takes_no_file_twice_and_goes_on_where_it_stopped(
    start: Start, cli_client: LocalClient, session: Session, tmp_path: Path
) -> None:
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    first = start()
    first.tick(0)
    first.tick(6)
    (tmp_path / "c.mp3").write_bytes(b"c.mp3")
    # killed between sending a file and starting its job
    cli_client.send(str(session.pk), folder.look(Found(tmp_path / "c.mp3", "c.mp3")), lambda _bytes: None)
    second = start()
    second.tick(0)
    second.tick(6)
    assert names() == ["a.mp3", "b.mp3", "c.mp3"]
    assert sorted(job.inputs.count() for job in Job.objects.all()) == [1, 2]  # what comes together is one job


def test_what_cannot_be_read_is_named_once_and_tried_again_when_it_changes(
    start: Start, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked.mp3"
    path.write_bytes(b"locked")
    (tmp_path / "fine.mp3").write_bytes(b"fine")
    look = folder.look

    def refuse(found: Found) -> Source:  # whoever runs the tests may read everything
        if found.path == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return look(found)

    watcher = start()
    with monkeypatch.context() as locked:
        locked.setattr(folder, "look", refuse)
        for second in range(0, 20, 2):
            watcher.tick(second)
    assert names() == ["fine.mp3"]
    assert len([line for line in said if "locked.mp3: Cannot read the file: Permission denied" in line]) == 1
    assert watcher.has_failures
    path.chmod(0o640)
    watcher.tick(20)
    watcher.tick(26)
    assert names() == ["fine.mp3", "locked.mp3"]
    assert not watcher.has_failures


def test_a_file_that_vanishes_is_no_failure(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, path = start(), tmp_path / "gone.mp3"
    path.write_bytes(b"gone")
    watcher.tick(0)
    look = watcher.settling.ready
    monkeypatch.setattr(
        watcher.settling, "ready", lambda *args: [path.unlink() or name for name in look(*args)]
    )
    watcher.tick(6)
    assert watcher.tick(7)
    assert not watcher.has_failures
    assert not Upload.objects.exists()


def test_a_refused_file_is_named_once_and_the_others_are_taken(
    start: Start, tmp_path: Path, said: list[str], settings: object
) -> None:
    settings.MAX_UPLOAD_MB = 0.001  # type: ignore[attr-defined]
    (tmp_path / "large.mp3").write_bytes(b"x" * 2000)
    (tmp_path / "small.mp3").write_bytes(b"x")
    watcher = start()
    for second in range(0, 20, 2):
        watcher.tick(second)
    assert names() == ["small.mp3"]
    assert [line for line in said if "large" in line] == ["large.mp3: This file is larger than 0.001 MB."]
    assert watcher.has_failures


def test_a_large_job_is_asked_after_less_often(
    start: Start, cli_client: LocalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "A_SECOND_MORE_FOR", 1)
    for name in ("a.mp3", "b.mp3", "c.mp3"):
        (tmp_path / name).write_bytes(name.encode())
    asked: list[str] = []
    ask = cli_client.job
    monkeypatch.setattr(cli_client, "job", lambda pk: asked.append(pk) or ask(pk))
    watcher = start()
    counts = []
    for second in range(12):
        watcher.tick(second)
        counts.append(len(asked))
    assert counts[5:] == [1, 1, 1, 2, 2, 2, 3]


def test_a_silent_installation_is_waited_for(
    start: Start, cli_client: LocalClient, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"a")
    watcher = start()

    def silent(*args: object) -> str:
        raise Unreachable("Nobody answers.")

    with monkeypatch.context() as broken:
        broken.setattr(cli_client, "send", silent)
        for second in (0, 6, 7, 8):
            assert not watcher.tick(second)
    watcher.tick(9)
    assert names() == ["a.mp3"]
    assert said.count("Nobody answers. Retrying…") == 1
