"""Files of lost jobs: used again if such a job comes again, and not kept for long."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from gpu_worker.errors import Canceled
from gpu_worker.inputs import input_cache
from gpu_worker.inputs.input_cache import InputCache, media_path
from gpu_worker.shared.protocol import InputSpec
from tests.gpu_worker.controller import Controller
from tests.gpu_worker.server import test_push as push
from tests.gpu_worker.sounds import tone
from tests.gpu_worker.worker import Worker, wait_for

pytestmark = pytest.mark.clean

OVER = ("complete", "failed", "canceled")
CONTENT = b"some media"


def nothing(_seconds: float) -> None:
    return


def spec(content: bytes = CONTENT) -> InputSpec:
    return InputSpec("1", "a.wav", "", len(content), "", hashlib.sha256(content).hexdigest())


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """As a killed worker leaves it, with one whole file."""
    folder = tmp_path / "scratch"
    (folder / "job").mkdir(parents=True)
    media_path(folder / "job", 0, spec()).write_bytes(CONTENT)
    return folder


@pytest.fixture
def store(scratch: Path, tmp_path: Path) -> InputCache:
    rescued = InputCache(tmp_path / "kept")
    rescued.rescue(scratch)
    return rescued


def lose(worker: Worker, job: dict[str, object]) -> None:
    """Start a job, and kill the worker in the middle of it."""
    worker.reach(worker.begin(job, key="first"), "transcribing")
    worker.kill()
    worker.start()


def test_a_job_that_comes_again_downloads_nothing(worker: Worker, controller: Controller) -> None:
    lose(worker, controller.job("a.wav", initialPrompt="hang"))
    assert len(controller.downloads) == 1
    again = worker.begin({**controller.job("a.wav"), "attempt": 2}, key="second")
    assert worker.reach(again, *OVER)["status"] == "complete"
    assert len(controller.downloads) == 1
    assert worker.events("input_reused")[0]["bytes"] == len(controller.files["a.wav"])
    assert list((worker.tmp_dir / "bulk-transcribe-kept").iterdir()) == []


def test_a_file_damaged_meanwhile_is_downloaded_anew(worker: Worker, controller: Controller) -> None:
    lose(worker, controller.job("a.wav", initialPrompt="hang"))
    (file,) = (worker.tmp_dir / "bulk-transcribe-kept").iterdir()
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    again = worker.begin({**controller.job("a.wav"), "attempt": 2}, key="second")
    assert worker.reach(again, *OVER)["status"] == "complete"
    assert len(controller.downloads) == 2
    assert worker.events("input_reused") == []


def test_in_push_mode_the_controller_hears_that_all_bytes_are_here(worker: Worker) -> None:
    content = tone(2.0)
    lost = worker.begin(push.job(content, initialPrompt="hang"))
    push.send(worker, lost, content)
    worker.reach(lost, "transcribing")
    worker.kill()
    worker.start()
    again = worker.begin({**push.job(content), "attempt": 2}, key="second")
    assert worker.reach(again, *OVER)["status"] == "complete"
    assert worker.events("input_reused")[0]["workerJobId"] == again


def test_a_file_is_taken_once(store: InputCache, tmp_path: Path) -> None:
    assert store.take(spec(), tmp_path / "one", nothing)
    assert (tmp_path / "one").read_bytes() == CONTENT
    assert not store.take(spec(), tmp_path / "two", nothing)


def test_half_a_file_is_none(scratch: Path, tmp_path: Path) -> None:
    media_path(scratch / "job", 0, spec()).write_bytes(CONTENT[:5])
    store = InputCache(tmp_path / "kept")
    store.rescue(scratch)
    assert not store.take(spec(), tmp_path / "one", nothing)
    assert not (tmp_path / "one").exists()


def test_a_cancel_is_heard_while_a_file_is_checked(store: InputCache, tmp_path: Path) -> None:
    def cancel(_seconds: float) -> None:
        raise Canceled

    with pytest.raises(Canceled):
        store.take(spec(), tmp_path / "one", cancel)


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "A" * 64])
def test_what_is_no_digest_names_no_file(store: InputCache, tmp_path: Path, sha256: str) -> None:
    strange = InputSpec("1", "a.wav", "", 3, "", sha256)
    assert media_path(tmp_path, 7, strange) == tmp_path / "7.media"
    assert not store.take(strange, tmp_path / "one", nothing)


def test_old_files_and_too_many_go_at_the_next_start(
    store: InputCache, scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    (file,) = folder.iterdir()
    passed = time.time() - input_cache.KEEP_SECONDS - 60
    os.utime(file, (passed, passed))
    store.rescue(scratch)
    assert list(folder.iterdir()) == []
    for name in ("1" * 64, "2" * 64):
        (folder / name).write_bytes(CONTENT)
    os.utime(folder / ("1" * 64), (time.time() - 60, time.time() - 60))
    monkeypatch.setattr(input_cache, "KEEP_BYTES", len(CONTENT))
    store.rescue(scratch)
    assert [left.name for left in folder.iterdir()] == ["2" * 64]


def test_they_go_by_themselves_after_hours(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_cache, "KEEP_SECONDS", 0.2)
    InputCache(tmp_path / "kept").rescue(scratch)
    wait_for(lambda: not list((tmp_path / "kept").iterdir()))
