"""Messages as files: many writers and readers at once lose and break nothing."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from bulktranscribe.runtime import broker

WRITERS, EACH = 4, 60


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "messages").mkdir()
    (tmp_path / "control").mkdir()
    broker.register()
    folder = str(tmp_path / "messages")
    settings = {
        "data_folder_in": folder,
        "data_folder_out": folder,
        "control_folder": str(tmp_path / "control"),
    }
    # kombu remembers for the whole process which queues are bound, so each test has a queue of its own
    settings["queue"] = tmp_path.name.replace("_", "-")
    with Connection("folder://localhost/", transport_options=settings) as connection:
        connection.SimpleQueue(settings["queue"]).close()
    return settings


def write(options: dict[str, Any], writer: int) -> None:
    with Connection("folder://localhost/", transport_options=options) as connection:
        queue = connection.SimpleQueue(options["queue"])
        for number in range(EACH):
            queue.put({"writer": writer, "number": number, "padding": "x" * 20_000})
        queue.close()


def read(options: dict[str, Any], got: list[tuple[int, int]], troubles: list[Exception]) -> None:
    with Connection("folder://localhost/", transport_options=options) as connection:
        queue = connection.SimpleQueue(options["queue"])
        deadline = time.monotonic() + 60
        while len(got) < WRITERS * EACH and time.monotonic() < deadline:
            try:
                message = queue.get(block=False)
            except queue.Empty:
                time.sleep(0.001)
            except Exception as trouble:
                troubles.append(trouble)
                return
            else:
                message.ack()
                got.append((message.payload["writer"], message.payload["number"]))
        queue.close()


def test_every_message_arrives_once_and_whole_while_all_write_and_read(options: dict[str, Any]) -> None:
    got: list[tuple[int, int]] = []
    troubles: list[Exception] = []
    threads = [threading.Thread(target=write, args=(options, writer)) for writer in range(WRITERS)]
    threads += [threading.Thread(target=read, args=(options, got, troubles)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    assert sorted(got) == [(writer, number) for writer in range(WRITERS) for number in range(EACH)]


def test_a_message_cut_short_is_dropped_and_the_next_one_read(
    options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "messages" / f"0_cut.{options['queue']}.msg").write_text("")
    write(options, 7)
    with Connection("folder://localhost/", transport_options=options) as connection:
        queue = connection.SimpleQueue(options["queue"])
        with pytest.raises(queue.Empty):
            queue.get(block=False)
        assert queue.get(block=False).payload["writer"] == 7
        queue.close()


def test_a_message_is_whole_from_the_moment_it_is_seen(options: dict[str, Any], tmp_path: Path) -> None:
    seen: list[int] = []
    ready = threading.Event()

    def watch() -> None:
        ready.set()
        deadline = time.monotonic() + 60
        while not seen and time.monotonic() < deadline:
            seen.extend(path.stat().st_size for path in (tmp_path / "messages").glob("*.msg"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    ready.wait()
    size = 30_000_000
    with Connection("folder://localhost/", transport_options=options) as connection:
        queue = connection.SimpleQueue(options["queue"])
        queue.put({"padding": "x" * size})
        queue.close()
    watcher.join()
    assert len(seen) == 1
    assert seen[0] > size
