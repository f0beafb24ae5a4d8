"""The command line's part without an installation: which files, which names, which words."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bulktranscribe.cli import exports, folder, options
from bulktranscribe.cli.client import JobOptions, Refused
from bulktranscribe.cli.progress import printable
from bulktranscribe.cli.remote_client import check_address
from bulktranscribe.cli.watch import Settling
from jobs.media.serving import CONTENT_TYPES

ROOT = Path(__file__).resolve().parents[3]
ALONE = """
import sys
from importlib.abc import MetaPathFinder

class Bare(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        top = name.partition(".")[0]
        if top in ("django", "celery", "kombu", "ninja", "environ", "jobs", "review", "remoteworker", "gpu_worker"):
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Bare())
sys.argv[1:] = ["--help"]
from bulktranscribe.cli.__main__ import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules if name.startswith("dj")}, "end")
"""


def test_it_runs_where_only_requests_and_rich_are_installed() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "transcribe|watch|status|fetch" in done.stdout
    assert done.stdout.endswith("end\n")


def test_every_recording_that_pages_know_is_taken_out_of_a_folder() -> None:
    assert CONTENT_TYPES.keys() <= folder.MEDIA


def test_half_written_hidden_and_other_files_stay_in_their_folder(tmp_path: Path) -> None:
    for name in (
        "b.mp3",
        "a/c.WAV",
        "x.mp3.part",
        "y.wav.crdownload",
        "~$z.mp3",
        ".w.ogg",
        "notes.txt",
        ".git/v.ogg",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [found.relative for found in folder.inside(tmp_path)] == ["b.mp3", "a/c.WAV"]
    top = tmp_path.name
    assert [found.relative for found in folder.named([tmp_path])] == [f"{top}/b.mp3", f"{top}/a/c.WAV"]
    assert [found.relative for found in folder.named([tmp_path / "notes.txt"])] == ["notes.txt"]
    with pytest.raises(folder.NoSuchFile, match="gone"):
        folder.named([tmp_path / "gone"])


@pytest.mark.parametrize(
    ("relative", "expected"),
    [
        ("a/b.mp3", "a/b.srt"),
        ("../../etc/b.mp3", "etc/b.srt"),
        ("/etc/b", "etc/b.srt"),
        ("a\\..\\b.mp3", "a_.._b.srt"),
        ("con.mp3", "_con.srt"),
        ("wer? wo: \x1b[2J.mp3", "wer_ wo_ _[2J.srt"),
        ("..", "_.srt"),
        ("面谈 2.5.mp3", "面谈 2.5.srt"),
    ],
)
def test_a_transcript_never_leaves_its_folder(relative: str, expected: str) -> None:
    assert exports.target(Path("out"), relative, "srt") == Path("out", expected)


def test_a_very_long_name_is_cut(tmp_path: Path) -> None:
    place = exports.target(tmp_path, "面" * 255 + ".mp3", "srt")
    assert exports.write(place, b"x").read_bytes() == b"x"


def test_nothing_that_is_there_is_overwritten_unless_asked(tmp_path: Path) -> None:
    place = tmp_path / "a.srt"
    assert exports.write(place, b"one") == place
    assert exports.write(place, b"one") == place
    assert exports.write(place, b"two") == tmp_path / "a (2).srt"
    assert exports.write(place, b"three", overwrite=True) == place
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == [
        ("a (2).srt", b"two"),
        ("a.srt", b"three"),
    ]


def test_a_file_is_taken_once_and_again_when_it_has_changed() -> None:
    settling = Settling(5)
    one, two = (10, 1, 1), (20, 2, 2)
    assert settling.ready({"a": one, "empty": (0, 1, 1)}, 0) == []
    assert settling.ready({"a": one}, 4) == []
    assert settling.ready({"a": two}, 6) == []  # still written
    assert settling.ready({"a": two}, 10) == []
    assert settling.ready({"a": two}, 11) == ["a"]
    settling.take("a", two)
    assert settling.ready({"a": two}, 20) == []
    assert not settling.is_waiting({"a": two})
    assert settling.ready({}, 21) == []  # the disk was away
    assert settling.ready({"a": two}, 30) == settling.ready({"a": two}, 40) == []
    assert settling.ready({"a": one}, 41) == []
    assert settling.ready({"a": one}, 46) == ["a"]


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("auto", {"speakers": "auto"}),
        ("none", {"speakers": "none"}),
        ("3", {"speakers": "exact", "numSpeakers": 3}),
        ("2-4", {"speakers": "between", "minSpeakers": 2, "maxSpeakers": 4}),
    ],
)
def test_speakers_are_said_in_a_word(said: str, counts: dict[str, object]) -> None:
    assert JobOptions(speakers=options.speakers(said)).counts() == counts


@pytest.mark.parametrize("said", ["", "0", "4-2", "101", "two", "2-", "-2", "1-1000", "٣"])
def test_other_words_for_speakers_are_refused(said: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        options.speakers(said)


@pytest.mark.parametrize(
    "url", ["http://transcribe.example", "http://10.0.0.7:8476", "ftp://x", "example.org", ""]
)
def test_a_token_travels_over_https_only(url: str) -> None:
    with pytest.raises(Refused):
        check_address(url, insecure=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8476", "http://localhost:8476", "https://transcribe.example"]
)
def test_a_token_may_travel_on_this_machine_and_over_https(url: str) -> None:
    check_address(url, insecure=False)
    check_address("http://10.0.0.7", insecure=True)


def test_a_name_gives_a_terminal_no_orders() -> None:
    assert printable("a\x1b]0;x\x07b\tc\udcff") == "a?]0;x?b\tc?"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["transcribe"], 2),
        (["transcribe", "x.mp3"], 2),  # where to
        (["--url", "http://127.0.0.1:9", "--token", "bt_x", "transcribe", "/no/such/file.mp3"], 2),
        (["--url", "http://h.example", "--token", "bt_x", "status"], 2),
    ],
)
def test_wrong_usage_is_exit_code_two(said: list[str], code: int, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "bulktranscribe.cli", *said]
    (tmp_path / "x.mp3").write_bytes(b"x")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "BULKTRANSCRIBE_TOKEN": "", "BULKTRANSCRIBE_URL": ""}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stderr
    assert "Traceback" not in done.stderr
