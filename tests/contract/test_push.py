"""Push mode with real parts: the controller makes every connection, and the worker knows no address of it."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract import media
from tests.contract.installation import Installation, wait_for


class Tripwire:
    """Listens where CONTROLLER_BASE_URL points, and counts who comes."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while self.server.fileno() >= 0:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.calls += 1
            client.close()


@pytest.fixture(scope="module")
def tripwire() -> Iterator[Tripwire]:
    wire = Tripwire()
    yield wire
    wire.server.close()


@pytest.fixture(scope="module")
def installation(tripwire: Tripwire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    push = {"REMOTE_WORKER_UPLOAD_MODE": "push", "CONTROLLER_BASE_URL": tripwire.url}
    prepared = Installation(tmp_path_factory.mktemp("push"), **push)
    prepared.worker_env |= {"WORKER_ENGINE": "rehearsal", "WORKER_REHEARSAL_SPEED": "100"}
    with prepared as running:
        yield running


@pytest.fixture
def session(installation: Installation) -> str:
    return installation.new_session()


def documents(installation: Installation) -> list[Path]:
    """What the worker still holds."""
    return list((installation.folder / "worker-state" / "results").iterdir())


def test_files_are_brought_and_transcripts_fetched(
    installation: Installation, session: str, tripwire: Tripwire
) -> None:
    files = {"mill.ogg": media.demo(), "long.wav": media.demo_repeated(2), "letter.mp3": b"Dear Anna\n" * 40}
    answer = installation.upload(session, files)
    job = installation.wait_job(installation.start_job(session, answer["uploads"]), 60)
    rows = {row["name"]: row for row in job["inputs"]}
    assert (rows["mill.ogg"]["status"], rows["long.wav"]["status"]) == ("complete", "complete")
    assert rows["letter.mp3"]["error"]["code"] == "INPUT_UNDECODABLE"
    document = installation.get(f"{rows['long.wav']['transcriptUrl']}download.json")
    assert document["segments"]
    assert document["speakers"]
    wait_for(lambda: not documents(installation), 30, "the worker was told to delete")
    heard = bytes(installation.proxy.heard)
    assert heard.count(b"Content-Range: bytes ") > 3
    for address in (b"callbackUrl", b"downloadUrl", str(installation.web_port).encode(), b"/api/jobs/"):
        assert address not in heard
    assert tripwire.calls == 0


def test_a_canceled_file_is_deleted_over_there(installation: Installation, session: str) -> None:
    answer = installation.upload(session, {"long.wav": media.demo_repeated(10)})
    job_id = installation.start_job(session, answer["uploads"])
    wait_for(lambda: installation.job(job_id)["inputs"][0]["stage"] == "transcribing", 60, "it is at work")
    installation.post(f"/api/jobs/{job_id}/cancel")
    assert installation.wait_job(job_id, 20)["inputs"][0]["status"] == "canceled"
    scratch = installation.folder / "worker-tmp" / "bulk-transcribe-work"
    wait_for(lambda: not list(scratch.iterdir()) and not documents(installation), 30, "nothing is left")


def test_a_worker_that_restarts_meanwhile_is_brought_the_file_again(
    installation: Installation, session: str
) -> None:
    answer = installation.upload(session, {"long.wav": media.demo_repeated(8)})
    installation.proxy.bytes_a_second = 4_000_000
    job_id = installation.start_job(session, answer["uploads"])
    before = len(installation.proxy.heard)
    wait_for(lambda: len(installation.proxy.heard) > before + 2_000_000, 60, "some of it is there")
    installation.kill_worker()
    installation.proxy.bytes_a_second = 0
    installation.start_worker()
    assert installation.wait_job(job_id, 120)["inputs"][0]["status"] == "complete"


def test_a_worker_lost_at_work_is_told_and_retry_brings_the_file_anew(
    installation: Installation, session: str
) -> None:
    answer = installation.upload(session, {"long.wav": media.demo_repeated(6)})
    job_id = installation.start_job(session, answer["uploads"])
    wait_for(lambda: installation.job(job_id)["inputs"][0]["stage"] == "transcribing", 60, "it is at work")
    installation.kill_worker()
    installation.start_worker()
    row = installation.wait_job(job_id, 60)["inputs"][0]
    assert (row["status"], row["error"]["code"]) == ("failed", "REMOTE_JOB_NOT_FOUND")
    installation.post(f"/api/jobs/{job_id}/retry")
    assert installation.wait_job(job_id, 60)["inputs"][0]["status"] == "complete"
