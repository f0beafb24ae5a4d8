"""What is forgotten, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from gpu_worker.jobs import journal as module
from gpu_worker.jobs.journal import Journal
from gpu_worker.outputs.writeback import Output
from gpu_worker.shared.protocol import CompleteMessage, JobStatus


def put_down(journal: Journal, job_id: str) -> Path:
    """An accepted job with one document; returns where that lies."""
    journal.accept(job_id, f"key of {job_id}", "hash", {"asked": "for"})
    path = journal.results_folder(job_id) / "0.json"
    path.write_text("{}")
    journal.add_outputs(job_id, [Output("1", "json", "1.json", path)])
    return path


def status(name: str) -> JobStatus:
    return cast(JobStatus, {"status": name})


def outcome() -> CompleteMessage:
    return cast(CompleteMessage, {"status": "complete", "outputs": []})


@pytest.fixture
def journal(tmp_path: Path) -> Any:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


def test_documents_that_nobody_fetches_go_after_a_week_without_a_restart(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, unsent, running = (put_down(journal, name) for name in ("held", "unsent", "running"))
    journal.hold("held", status("complete"))
    journal.finish("unsent", outcome())
    journal.start("running")
    put_down(journal, "another")
    assert held.exists(), "a week has not passed"
    monkeypatch.setattr(module, "KEEP_SECONDS", -1.0)
    put_down(journal, "next")
    assert (held.exists(), unsent.exists(), running.exists()) == (False, True, True)
    assert journal.find("held") is None
    assert journal.find("unsent") is not None


def test_a_deleted_job_leaves_its_key_and_nothing_else(journal: Journal) -> None:
    path = put_down(journal, "j")
    journal.hold("j", status("complete"))
    assert journal.output("j", "1", "json") == path
    journal.delete("j")
    entry = journal.find_key("key of j")
    assert entry is not None
    assert (entry.status, entry.outcome, entry.request) == (None, None, {})
    assert (path.exists(), journal.output("j", "1", "json")) == (False, None)


def test_held_documents_survive_a_restart_and_are_no_work(tmp_path: Path, journal: Journal) -> None:
    path = put_down(journal, "j")
    journal.hold("j", status("complete"))
    again = Journal(tmp_path)
    try:
        assert again.recover() == []
        assert (path.exists(), again.output("j", "1", "json")) == (True, path)
    finally:
        again.close()
