"""`python -m tests.chaos mixed|freeze`: a storm over an installation, then a count of what it lost.

Ends with 0 only where nothing was lost, duplicated, wrong or stuck, no file is orphaned and every invariant
holds. Everything listens on loopback and is ended with it.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.person import Person
from tests.chaos.stage import Stage
from tests.chaos.storm import Storm
from tests.contract.installation import REPOSITORY
from tests.contract.servers import OwnRedis, database

CALM_SECONDS = 90.0  # after the storm, for what is left to end
LIMIT_SECONDS = 290.0


def main() -> int:
    options = read_options()
    print(f"chaos: {options.kind}, {options.jobs} jobs, {options.pair}, seed {options.seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL runs as another user and has to pass
        variables, redis = stack.enter_context(servers(folder, options.pair))
        stage = Stage(folder, workers=2, slots=options.slots, speed=options.speed, **variables)
        stack.enter_context(stage)
        person = Person(stage, options.jobs, options.seed, options.longest)
        storm = Storm(stage, options.seed, redis)
        try:
            weather(options, storm, person, started)
        finally:
            keep_logs(stage, options.logs)
        found = verdict(stage, person)
    report(found, person, storm, time.monotonic() - started)
    return 1 if sum(found.values()) else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/chaos/run.sh", description=__doc__)
    parser.add_argument("kind", choices=["mixed", "freeze"])
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)))
    parser.add_argument("--pair", choices=["postgres+redis", "sqlite+files"], default="postgres+redis")
    parser.add_argument("--logs", type=Path, help="a folder to keep the logs in")
    options = parser.parse_args()
    mixed = options.kind == "mixed"
    options.speed, options.longest, options.slots = (2.0, 4.0, 3) if mixed else (1.0, 3.0, 2)
    return options


@contextlib.contextmanager
def servers(folder: Path, pair: str) -> Iterator[tuple[dict[str, str], OwnRedis | None]]:
    """The variables of database and broker, and the Redis that may be broken."""
    many = {"REMOTE_WORKER_MAX_ATTEMPTS": "3"}
    if pair == "sqlite+files":
        yield many, None
        return
    with OwnRedis() as redis, database(folder) as url:
        yield many | {"DATABASE_URL": url, "REDIS_URL": redis.url}, redis


def weather(options: argparse.Namespace, storm: Storm, person: Person, started: float) -> None:
    """The storm lasts until everything has ended or time is nearly up; what is left may end in the calm."""
    bringing = threading.Thread(target=person.bring_all, daemon=True)
    bringing.start()
    if options.kind == "mixed":
        storm.kill_everything()
    else:
        storm.freeze_workers(1, 3, deaf=2.0)
    until = started + LIMIT_SECONDS - CALM_SECONDS
    while not person.look() and time.monotonic() < until:
        time.sleep(0.5)
    storm.calm()
    until = time.monotonic() + CALM_SECONDS
    while not person.look() and time.monotonic() < until:
        time.sleep(0.5)
    person.given_up.set()
    bringing.join()
    person.look_at_all()


def verdict(stage: Stage, person: Person) -> Counter[str]:
    """Count what must be nought."""
    found: Counter[str] = Counter()
    found["lost"] = len(person.lengths.keys() - person.rows.keys())
    found["stuck"] = sum(row["status"] not in ("complete", "canceled") for row in person.rows.values())
    wrong = person.wrong()
    found["wrong"] = len(wrong)
    found["progress fell"] = person.went_back
    broken = settled_invariants(stage)
    for line in [*wrong, *broken]:
        print("  " + line, flush=True)
    for line in broken:
        number = line.partition(":")[0]
        found[{"2": "duplicated", "9": "orphaned or missing"}.get(number, f"invariant {number}")] += 1
    return found


def settled_invariants(stage: Stage) -> list[str]:
    """What check_invariants names, once the sweep of orphans had its time."""
    lines: list[str] = []
    deadline = time.monotonic() + 30
    while True:
        argv = [sys.executable, "manage.py", "check_invariants"]
        done = subprocess.run(
            argv, cwd=REPOSITORY, env=stage.controller_env, capture_output=True, text=True, check=False
        )
        lines = done.stdout.splitlines() if done.returncode else []
        if done.returncode and not lines:
            lines = [f"0: check_invariants failed: {done.stderr[-500:]}"]
        is_sweeping = lines and all(line.startswith("9:") for line in lines)
        if not is_sweeping or time.monotonic() > deadline:
            return lines
        time.sleep(2)


def keep_logs(stage: Stage, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for path in stage.folder.glob("*.log"):
            (folder / path.name).write_bytes(path.read_bytes())


def report(found: Counter[str], person: Person, storm: Storm, seconds: float) -> None:
    statuses = Counter(row["status"] for row in person.rows.values())
    tries = sum(row["attempt"] for row in person.rows.values())
    storms = ", ".join(f"{what} {count}" for what, count in sorted(storm.done.items()))
    print(f"weather: {storms}")
    print(
        f"files: {dict(statuses)}, {tries} tries at workers, {person.retries} retries by a person, "
        f"{person.refusals} calls repeated"
    )
    usual = ("lost", "duplicated", "wrong", "stuck", "orphaned or missing", "progress fell")
    counts = {name: found[name] for name in usual} | {name: n for name, n in found.items() if n}
    print(", ".join(f"{count} {name}" for name, count in counts.items()) + f"; {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
