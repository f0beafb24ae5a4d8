"""The command line against a whole installation: folders, bad files, restarts, a network that is cut."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import media
from tests.contract.installation import REPOSITORY, Installation, wait_for


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    prepared = Installation(tmp_path_factory.mktemp("command-line"), PERIODS_DIVISOR="4")
    prepared.worker_env |= {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": "200"}
    with prepared as running:
        yield running


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Two recordings in two folders, a copy of one, a file that holds no sound, and one that is no recording."""
    folder = tmp_path / "talks"
    (folder / "day 2").mkdir(parents=True)
    (folder / "mill.ogg").write_bytes(media.demo())
    (folder / "day 2" / "mill.wav").write_bytes(media.demo_repeated(1))
    (folder / "day 2" / "again.ogg").write_bytes(media.demo())
    (folder / "letter.mp3").write_bytes(b"Dear Anna\n" * 40)
    (folder / "notes.txt").write_text("no recording")
    return folder


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """What is started here hears Ctrl-C, also where the tests run in the background: a shell has that ignored there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def begin(installation: Installation, *argv: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *argv],
        cwd=REPOSITORY,
        env={**installation.controller_env, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(installation: Installation, *argv: str) -> tuple[int, str]:
    process = begin(installation, *argv)
    said, _ = process.communicate(timeout=120)
    return process.returncode, said


def written(out: Path) -> set[str]:
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_a_folder_with_a_bad_file_is_transcribed_but_for_that_file(
    installation: Installation, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("manage.py", "transcribe", str(recordings), "--session", "Folder", "--format", "txt,srt")
    code, said = run(installation, *command, "--out", str(out))
    assert code == 1, said
    good = {f"talks/{name}.{end}" for name in ("mill", "day 2/mill", "day 2/again") for end in ("txt", "srt")}
    assert written(out) == good
    assert "sentence 1" in (out / "talks/mill.txt").read_text()
    assert "failed\ttalks/letter.mp3" in said
    assert "INPUT_UNDECODABLE" in said
    assert "talks/day 2/again.ogg: identical to talks/mill.ogg; not uploaded again" in said
    code, said = run(installation, *command, "--out", str(out))
    assert code == 1, said
    assert "Uploaded" not in said  # what is there is neither sent nor transcribed again
    assert written(out) == good


def test_ctrl_c_leaves_the_job_and_the_same_command_follows_it(
    installation: Installation, tmp_path: Path
) -> None:
    path, out = tmp_path / "long.wav", tmp_path / "out"
    path.write_bytes(media.demo_repeated(12))
    command = ("manage.py", "transcribe", str(path), "--session", "Long", "--out", str(out))
    process = begin(installation, *command)
    assert process.stdout
    said = ""
    for line in process.stdout:  # until the job is there
        said += line
        if line.startswith("Job 1 of “Long”"):
            break
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said + rest
    assert "The job continues to run. Run the same command again to follow it" in rest
    code, said = run(installation, *command)
    assert code == 0, said
    assert "Job 1" not in said.replace("Job 1 of", "")
    assert written(out) == {"long.txt"}


def test_a_watched_folder_is_transcribed_through_a_restart(
    installation: Installation, tmp_path: Path
) -> None:
    inbox, out = tmp_path / "inbox", tmp_path / "out"
    inbox.mkdir()
    out.mkdir()
    options = ("--session", "Inbox", "--settle", "2", "--out", str(out))
    process = begin(installation, "manage.py", "watch", str(inbox), *options)
    content = media.demo()
    with (inbox / "slow.ogg").open("wb", buffering=0) as file:
        while content[file.tell() :]:  # as a recorder writes
            file.write(content[file.tell() :][:40_000])
            time.sleep(0.3)
    ledger = out / ".bulktranscribe"  # the last to be written
    wait_for(lambda: ledger.exists() and ledger.read_text().endswith("\n"), 60, "the transcript is written")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert said.count("Uploaded 1 of 1: slow.ogg") == 1
    (out / "slow.txt").unlink()  # somebody took it
    (inbox / "more.ogg").write_bytes(content + b"\0")
    code, said = run(installation, "manage.py", "watch", str(inbox), *options, "--once")
    assert code == 0, said
    assert "Uploaded 1 of 1: more.ogg" in said
    assert "slow.ogg: already in the session; not uploaded again." in said
    assert written(out) == {"more.txt", ".bulktranscribe"}


def test_an_installation_elsewhere_is_worked_with_by_a_token(
    installation: Installation, recordings: Path, tmp_path: Path
) -> None:
    form = {"name": "laptop", "scopes": ["read", "upload", "jobs"], "session": "", "days": "7"}
    secret = re.search(r'value="(bt_[^"]+)"', installation.post("/settings/tokens/", data=form).text)
    assert secret
    installation.controller_env |= {"BULKTRANSCRIBE_URL": installation.url, "BULKTRANSCRIBE_TOKEN": secret[1]}
    client, out = ("-m", "bulktranscribe.cli"), tmp_path / "out"
    session = ("--session", "Laptop")
    code, said = run(installation, *client, "transcribe", str(recordings), *session, "--out", str(out))
    assert code == 1, said
    assert "failed\ttalks/letter.mp3" in said
    good = {f"talks/{name}.txt" for name in ("mill", "day 2/mill", "day 2/again")}
    assert written(out) == good
    code, said = run(installation, *client, "status", *session)
    assert code == 1
    assert "talks/day 2/mill.wav\tComplete" in said
    code, said = run(
        installation, *client, "fetch", *session, "--format", "srt", "--out", str(tmp_path / "srt")
    )
    assert code == 1
    assert len(written(tmp_path / "srt")) == 2
    assert secret[1] not in said + installation.logs()
    code, said = run(installation, *client, "transcribe", str(recordings / "mill.ogg"), "--session", "Laptop")
    assert (code, "Job" in said) == (0, False), said
