"""What ticks do, one step at a time."""

from remoteworker.attempts import dispatch
from remoteworker.models import Attempt, Worker
from remoteworker.scheduling import queue


def hand_out(worker: Worker) -> None:
    """Claim what waits and hand this worker its share."""
    dispatch.assign()
    dispatch.hand_over(worker.pk)


def claim(worker: Worker, count: int = 1) -> list[Attempt]:
    """Claim the next inputs for this worker, whatever room it has."""
    waiting = queue.next_up(Worker.Kind(worker.kind), count)
    return [attempt for entry in waiting if (attempt := dispatch.claim(entry, worker)) is not None]
