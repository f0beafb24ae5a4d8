"""What goes wrong, by a seed: kills, freezes, flushes, each on a timer of its own."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from tests.chaos.stage import LEASE, Stage
from tests.contract.servers import OwnRedis


class Storm:
    """Threads that break things until `calm` is called."""

    def __init__(self, stage: Stage, seed: int, redis: OwnRedis | None = None) -> None:
        self.stage, self.seed, self.redis = stage, seed, redis
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self.locks = {name: threading.Lock() for name in ("web", "celery", *stage.names)}
        self.threads: list[threading.Thread] = []

    def kill_everything(self) -> None:
        """Web, Celery, each worker and Redis, every 5 to 15 s; Redis flushed every 10; a worker frozen every 15."""
        for name in self.locks:
            self._every(5, 15, f"kill {name}", lambda name=name: self._kill(name))
        if self.redis is not None:
            self._every(5, 15, "kill redis", self.redis.restart)
            self._every(10, 10, "flush redis", self.redis.flush)
        self.freeze_workers(15, 15)

    def freeze_workers(self, least: float, most: float, deaf: float = 0.0) -> None:
        """One worker at a time, for longer than its lease. For `deaf` seconds after it wakes it can speak and hears
        nothing: it is not told in time that its files were given to others, and brings what it has."""
        self._every(least, most, "freeze", lambda: self._freeze(deaf))

    def calm(self) -> None:
        """End it; everything is left running."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.stage.heal()

    def _every(self, least: float, most: float, what: str, act: Callable[[], object]) -> None:
        chance = random.Random(f"{self.seed} {what}")

        def run() -> None:
            while not self.over.wait(chance.uniform(least, most)):
                act()
                self.done[what] += 1

        thread = threading.Thread(target=run, name=what, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _kill(self, name: str) -> None:
        with self.locks[name]:
            self.stage.restart(name)

    def _freeze(self, deaf: float) -> None:
        name = random.Random(f"{self.seed} {self.done['freeze']}").choice(self.stage.names)
        process = self.stage.processes[name]
        self.stage.freeze(name)
        self.over.wait(LEASE * 1.5)
        if self.stage.processes.get(name) is process:  # else it was killed meanwhile, and a new one runs
            with self._silence(name) if deaf else nullcontext():
                self.stage.thaw(name)
                self.over.wait(deaf)

    @contextmanager
    def _silence(self, name: str) -> Iterator[None]:
        proxy = self.stage.to_workers[int(name.rpartition("-")[2])]
        proxy.cut()
        try:
            yield
        finally:
            proxy.heal()
