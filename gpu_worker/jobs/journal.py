"""The persistent journal: idempotency keys, accepted jobs, and unacknowledged results.

SQLite in WORKER_STATE_DIR, next to the results themselves. The requests in it hold signed URLs, so the
folder belongs to the worker's user alone, and a request is erased when its job is settled.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gpu_worker.outputs.writeback import Output
from gpu_worker.shared.protocol import CompleteMessage, JobStatus

# accepted: nothing was decoded yet, so it may start again. started: lost if the process dies.
# finished: done, not acknowledged. held: done, its documents wait to be fetched. settled: the end.
State = Literal["accepted", "started", "finished", "held", "settled", "lost", "deleted"]

KEEP_SECONDS = 7 * 24 * 3600.0  # how long keys and final statuses are remembered
CACHE_KIB = (
    256  # of its pages in memory; SQLite's own 2 MB fill up over a thousand jobs, and look like a leak
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, body_hash TEXT NOT NULL, request TEXT NOT NULL,
    state TEXT NOT NULL, outcome TEXT, status TEXT, changed_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS outputs (
    job_id TEXT NOT NULL, input_id TEXT NOT NULL, type TEXT NOT NULL, filename TEXT NOT NULL,
    path TEXT NOT NULL, delivered INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job_id, input_id, type)
);
"""


@dataclass(frozen=True)
class Entry:
    """A job in the journal."""

    id: str
    body_hash: str
    request: dict[str, Any]
    state: State
    outcome: CompleteMessage | None
    status: JobStatus | None


class Journal:
    """The journal. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._results = folder / "results"
        self._results.mkdir(mode=0o700, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            folder / "journal.sqlite3", check_same_thread=False, isolation_level=None
        )
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        self._database.executescript(SCHEMA)

    def find_key(self, key: str) -> Entry | None:
        """Return the job of an idempotency key."""
        return self._one("SELECT * FROM jobs WHERE key = ?", key)

    def find(self, job_id: str) -> Entry | None:
        """Return a job by its id."""
        return self._one("SELECT * FROM jobs WHERE id = ?", job_id)

    def accept(self, job_id: str, key: str, body_hash: str, request: dict[str, Any]) -> None:
        """Record a new job before responding; delete those that ended long ago."""
        self._forget_old("state NOT IN ('accepted', 'started', 'finished')")
        with self._write() as database:
            database.execute(
                "INSERT INTO jobs (id, key, body_hash, request, state, changed_at) VALUES (?, ?, ?, ?, ?, ?)",
                (job_id, key, body_hash, json.dumps(request), "accepted", time.time()),
            )

    def start(self, job_id: str) -> None:
        """Mark the job as started; from here on, a restart loses it."""
        self._move(job_id, "started")

    def add_outputs(self, job_id: str, outputs: list[Output]) -> None:
        """Record documents to deliver."""
        with self._write() as database:
            database.executemany(
                "INSERT OR REPLACE INTO outputs (job_id, input_id, type, filename, path) "
                "VALUES (?, ?, ?, ?, ?)",
                [(job_id, o.input_id, o.type, o.filename, str(o.path)) for o in outputs],
            )

    def delivered(self, job_id: str, output: Output) -> None:
        """Record that the controller has this document."""
        with self._write() as database:
            database.execute(
                "UPDATE outputs SET delivered = 1 WHERE job_id = ? AND input_id = ? AND type = ?",
                (job_id, output.input_id, output.type),
            )

    def undelivered(self, job_id: str) -> list[Output]:
        """Return undelivered documents in order of creation."""
        with self._lock:
            rows = self._database.execute(
                "SELECT input_id, type, filename, path FROM outputs "
                "WHERE job_id = ? AND NOT delivered ORDER BY rowid",
                (job_id,),
            ).fetchall()
        return [Output(row[0], row[1], row[2], Path(row[3])) for row in rows]

    def finish(self, job_id: str, outcome: CompleteMessage) -> None:
        """Record that processing is finished and only delivery is left."""
        self._move(job_id, "finished", outcome=json.dumps(outcome))

    def settle(self, job_id: str, status: JobStatus) -> None:
        """The end: the final status stays, the request and the documents go."""
        self._move(job_id, "settled", status=json.dumps(status), request="{}")
        self._drop_outputs(job_id)

    def hold(self, job_id: str, status: JobStatus) -> None:
        """The end in push mode: the final status stays, and the documents until they are deleted."""
        self._move(job_id, "held", status=json.dumps(status), request="{}")

    def delete(self, job_id: str) -> None:
        """Forget the job but for its key."""
        with self._write() as database:
            database.execute(
                "UPDATE jobs SET state = 'deleted', status = NULL, outcome = NULL, request = '{}' WHERE id = ?",
                (job_id,),
            )
        self._drop_outputs(job_id)

    def output(self, job_id: str, input_id: str, kind: str) -> Path | None:
        """Where a document of a job lies."""
        with self._lock:
            row = self._database.execute(
                "SELECT path FROM outputs WHERE job_id = ? AND input_id = ? AND type = ?",
                (job_id, input_id, kind),
            ).fetchone()
        return Path(row[0]) if row else None

    def recover(self) -> list[Entry]:
        """After a start: mark interrupted jobs lost, forget old ones, return those with work left."""
        self._forget_old("TRUE")
        with self._write() as database:
            database.execute("UPDATE jobs SET state = 'lost', request = '{}' WHERE state = 'started'")
            database.execute(
                "DELETE FROM outputs WHERE job_id NOT IN (SELECT id FROM jobs WHERE state IN ('finished', 'held'))"
            )
            rows = database.execute(
                "SELECT * FROM jobs WHERE state IN ('accepted', 'finished', 'held') ORDER BY rowid"
            ).fetchall()
        entries = [_entry(row) for row in rows]
        kept = {entry.id for entry in entries if entry.state != "accepted"}
        for folder in self._results.iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        return [entry for entry in entries if entry.state != "held"]

    def results_folder(self, job_id: str) -> Path:
        """Where the documents of a job lie until they are acknowledged."""
        folder = self._results / job_id
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _forget_old(self, which: str) -> None:
        old = (time.time() - KEEP_SECONDS,)
        with self._write() as database:
            query = f"SELECT id FROM jobs WHERE changed_at < ? AND {which}"
            ids = database.execute(query, old).fetchall()
            database.executemany("DELETE FROM jobs WHERE id = ?", ids)
        for (job_id,) in ids:
            self._drop_outputs(job_id)

    def _move(self, job_id: str, state: State, **columns: str) -> None:
        values = {"state": state, "changed_at": time.time(), **columns}
        assignments = ", ".join(f"{name} = ?" for name in values)
        with self._write() as database:
            database.execute(f"UPDATE jobs SET {assignments} WHERE id = ?", (*values.values(), job_id))

    def _drop_outputs(self, job_id: str) -> None:
        with self._write() as database:
            database.execute("DELETE FROM outputs WHERE job_id = ?", (job_id,))
        shutil.rmtree(self._results / job_id, ignore_errors=True)

    def _one(self, query: str, value: str) -> Entry | None:
        with self._lock:
            row = self._database.execute(query, (value,)).fetchone()
        return _entry(row) if row else None

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database


def _entry(row: tuple[Any, ...]) -> Entry:
    job_id, _key, body_hash, request, state, outcome, status, _changed_at = row
    return Entry(
        id=job_id,
        body_hash=body_hash,
        request=json.loads(request),
        state=state,
        outcome=json.loads(outcome) if outcome else None,
        status=json.loads(status) if status else None,
    )
