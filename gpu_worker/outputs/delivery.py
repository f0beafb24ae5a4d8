"""Delivers the documents of a job to the controller while the job continues with its next file."""

from __future__ import annotations

import queue
import threading

from gpu_worker.errors import Canceled
from gpu_worker.jobs.job import Job
from gpu_worker.jobs.journal import Journal
from gpu_worker.outputs.writeback import Output, Verdict, Writeback
from gpu_worker.shared.protocol import OutputRef


class Delivery:
    """One thread that delivers in order and stops at the first document that cannot be delivered."""

    def __init__(self, job: Job, journal: Journal, writeback: Writeback) -> None:
        self._job = job
        self._journal = journal
        self._writeback = writeback
        self._waiting: queue.Queue[Output | None] = queue.Queue()
        self._verdict: Verdict = "accepted"
        self._thread = threading.Thread(target=self._carry, name=f"delivery-{job.id}", daemon=True)
        self._thread.start()

    @property
    def verdict(self) -> Verdict:
        """How deliveries went so far."""
        return self._verdict

    def take(self, outputs: list[Output]) -> None:
        """Deliver these when their turn comes."""
        for output in outputs:
            self._waiting.put(output)

    def dismiss(self) -> None:
        """Deliver nothing more."""
        self._waiting.put(None)

    def finish(self) -> Verdict:
        """Wait until everything is delivered or one was not; raises Canceled."""
        self._waiting.put(None)
        self._thread.join()
        if self._verdict == "accepted":
            self._job.pause()
        return self._verdict

    def _carry(self) -> None:
        while (output := self._waiting.get()) is not None:
            try:
                self._verdict = self._writeback.send_output(output)
            except Canceled:
                return
            if self._verdict == "gone":
                self._job.cancel()  # replaced or canceled over there: the rest of it is not wanted either
            if self._verdict != "accepted":
                return
            self._journal.delivered(self._job.id, output)
            self._job.add_output(
                OutputRef(inputId=output.input_id, filename=output.filename, type=output.type)
            )
