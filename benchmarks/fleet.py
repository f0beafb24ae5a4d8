"""How a controller bears many files: `python -m benchmarks.fleet`. Prints figures, judges nothing.

ticks: 1,000 files wait; how long one dispatch tick takes, by how many slots are free.
polls: 1,000 files are at 20 workers (the real one, in rehearsal); how old the last contact of each gets.
memory: web, Celery and workers under a trickle of short jobs; how they grow.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.stage import Stage, tone
from tests.contract.installation import REPOSITORY, SECRET, clean_environment, wait_for
from tests.contract.servers import postgres_and_redis

FILES = 1000
BOXES = 20
PAIRS = ("sqlite", "postgres")
FREE_SLOTS = (0, 1, 3, 60)
REPEATS = 15
LAST_SECONDS = 20 * 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["ticks", "polls", "memory"])
    parser.add_argument("--pair", choices=[*PAIRS, "both"], default="both")
    parser.add_argument("--minutes", type=float, default=20.0, help="of memory")
    parser.add_argument("--seconds", type=float, default=60.0, help="of polls")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        INSIDE[options.inside]()
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for pair in PAIRS if options.pair == "both" else (options.pair,):
        with servers(pair) as (folder, variables):
            if options.only in (None, "ticks"):
                measure_ticks(pair, folder, variables)
        if options.only in (None, "polls"):
            with servers(pair) as (folder, variables):
                measure_polls(pair, folder, variables, options.seconds)
        if options.only == "memory":
            with servers(pair) as (folder, variables):
                measure_memory(pair, folder, variables, options.minutes)


@contextmanager
def servers(pair: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder and the variables of a fresh database and broker."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        folder.chmod(0o711)
        variables = stack.enter_context(postgres_and_redis(folder)) if pair == "postgres" else {}
        yield folder, variables


def show(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    median = statistics.median(ordered)
    print(
        f"{what}: median {median * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, max {ordered[-1] * 1000:.0f} ms",
        flush=True,
    )


# A tick with a thousand files waiting ----------------------------------------------------------------


def measure_ticks(pair: str, folder: Path, variables: dict[str, str]) -> None:
    own = {"DATA_DIR": str(folder / "data"), "SECRET_KEY": SECRET, "LOG_LEVEL": "ERROR", **variables}
    argv = [sys.executable, "-m", "benchmarks.fleet", "--inside", "ticks"]
    env = {**clean_environment(), **own}
    done = subprocess.run(argv, cwd=REPOSITORY, env=env, check=True, capture_output=True, text=True)
    for slots, seconds in json.loads(done.stdout.splitlines()[-1]).items():
        show(f"{pair}: a tick, {FILES} files wait, {slots} slots free", seconds)


def ticks_inside() -> None:
    prepare_django()
    from django.core.management import call_command

    from remoteworker import tasks
    from remoteworker.models import Worker

    call_command("migrate", verbosity=0)
    tasks.nudge = lambda *args, **kwargs: None
    queue_files()
    for number in range(BOXES):
        Worker.objects.create(name=f"box-{number}", kind="local", url=f"http://127.0.0.1:9/{number}")
    measured: dict[int, list[float]] = {}
    for slots in FREE_SLOTS:
        for _ in range(REPEATS):
            offer_slots(slots)
            started = time.perf_counter()
            tasks.dispatch_queued()
            measured.setdefault(slots, []).append(time.perf_counter() - started)
            give_back()
    print(json.dumps(measured))


def offer_slots(slots: int) -> None:
    """So many free slots, over all boxes."""
    from remoteworker.models import Worker

    for number, worker in enumerate(Worker.objects.order_by("pk")):
        share = slots // BOXES + (number < slots % BOXES)
        Worker.objects.filter(pk=worker.pk).update(is_connected=True, capacity=share)


def give_back() -> None:
    """All files wait again."""
    from jobs.models import JobInput
    from remoteworker.models import Attempt

    Attempt.objects.all().delete()
    JobInput.objects.update(status="queued", attempt_count=0)


def queue_files(recording: bytes = b"x") -> None:
    """FILES files in ten sessions, in jobs of a hundred."""
    from django.contrib.auth.models import User

    from gpu_worker.shared.protocol import Options
    from jobs import batches
    from jobs.models import Session
    from jobs.uploads import ingest

    owner, _created = User.objects.get_or_create(username="fleet")
    draft = Path(tempfile.mkdtemp()) / "mill.wav"
    draft.write_bytes(recording)
    for number in range(10):
        session = Session.objects.create(owner=owner, name=f"Session {number}")
        files = [ingest.receive_path(session, draft) for _ in range(FILES // 10)]
        batches.create_job(session, files, Options(model="tiny.en"), use_remote=False, created_by=owner)


def prepare_django() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "bulktranscribe.settings"
    import django

    django.setup()
    from bulktranscribe.directories import make_directories

    make_directories()


# A thousand files at twenty workers ------------------------------------------------------------------


def measure_polls(pair: str, folder: Path, variables: dict[str, str], seconds: float) -> None:
    # so slow that none is done before the last is handed over
    with fleet(folder, BOXES, speed=0.01, queue=FILES // BOXES - 1, variables=variables) as stage:
        started = time.monotonic()
        inside(stage, "queue")
        wait_for(lambda: len(ages(stage)) == FILES, 600, f"{FILES} files are at their workers")
        print(
            f"{pair}: {FILES} files handed to {BOXES} workers in {time.monotonic() - started:.0f} s",
            flush=True,
        )
        time.sleep(10)
        samples: list[float] = []
        worst: list[float] = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen = ages(stage)
            samples += seen
            worst.append(max(seen))
            time.sleep(0.5)
        show(f"{pair}: age of the last contact of {FILES} running files, polled every 2 s", samples)
        show(f"{pair}: of the oldest contact at a moment", worst)


@contextmanager
def fleet(
    folder: Path, candidates: int, speed: float, queue: int, variables: dict[str, str]
) -> Iterator[Stage]:
    """An installation with undivided periods and workers that are spoken to without a proxy."""
    usual = {"PERIODS_DIVISOR": "1", "REMOTE_WORKER_POLL_SECONDS": "2", "LOG_LEVEL": "WARNING"}
    stage = Stage(folder, workers=candidates, speed=speed, **{**usual, **variables})
    stage.controller_env["REMOTE_WORKER_URL"] = ",".join(
        f"http://127.0.0.1:{port}" for port in stage.worker_ports
    )
    stage.worker_env |= {"PERIODS_DIVISOR": "1", "WORKER_QUEUE_SIZE": str(queue)}
    with stage:
        wait_for(stage.all_connected, 120, "all workers are connected")
        yield stage


def inside(stage: Stage, what: str) -> str:
    argv = [sys.executable, "-m", "benchmarks.fleet", "--inside", what]
    done = subprocess.run(
        argv, cwd=REPOSITORY, env=stage.controller_env, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1] if done.stdout else ""


def ages(stage: Stage) -> list[float]:
    """Seconds since the last contact of every running attempt."""
    statement = (
        "SELECT last_contact_at FROM remoteworker_attempt WHERE ended_at IS NULL AND worker_job_id <> ''"
    )
    url = stage.controller_env.get("DATABASE_URL")
    if url:
        import psycopg

        with psycopg.connect(url) as server:
            rows = server.execute(
                f"SELECT extract(epoch FROM clock_timestamp() - c.last_contact_at) FROM ({statement}) c"
            )  # type: ignore[arg-type]
            return [float(age) for (age,) in rows]
    import sqlite3

    with sqlite3.connect(stage.folder / "data" / "bulktranscribe.sqlite3", timeout=20) as database:
        rows = database.execute(
            f"SELECT (julianday('now') - julianday(last_contact_at)) * 86400 FROM ({statement})"
        )
        return [float(age) for (age,) in rows]


def queue_inside() -> None:
    prepare_django()
    queue_files(tone(8.0))


# Memory over time ------------------------------------------------------------------------------------


def measure_memory(pair: str, folder: Path, variables: dict[str, str], minutes: float) -> None:
    """Twelve short jobs a minute, in a new session every five."""
    with fleet(folder, 2, speed=20.0, queue=2, variables=variables) as stage:
        session = stage.new_session("Memory")
        seen: list[tuple[float, dict[str, float]]] = []  # seconds since the start, MB
        started = time.monotonic()
        while not seen or seen[-1][0] < minutes * 60:
            begun = time.monotonic()
            for _ in range(6):
                stage.wait_job(stage.run(session, 1.0, 2.0), 120)
            if len(seen) % 10 == 9:
                session = stage.new_session("Memory")
            megabytes = {name: resident_mb(process.pid) for name, process in stage.processes.items()}
            seen.append((time.monotonic() - started, megabytes))
            time.sleep(max(0.0, 30 - (time.monotonic() - begun)))
        print(f"{pair}: {6 * len(seen)} jobs of two files")
        for name in stage.processes:
            show_growth(f"{pair}: {name}", [(at, megabytes[name]) for at, megabytes in seen])


def show_growth(what: str, samples: list[tuple[float, float]]) -> None:
    """Of (seconds, MB): the size at four moments, and the slope of the last LAST_SECONDS with its standard error.

    What comes before is warm-up: each thread loads its modules, caches and pools fill. Of a short run a fifth
    is left out for it.
    """
    end = samples[-1][0]
    quarters = [min(samples, key=lambda s: abs(s[0] - end * part / 4)) for part in range(1, 5)]
    sizes = ", ".join(f"{megabytes:.1f} at {at / 60:.0f} min" for at, megabytes in quarters)
    warm = [sample for sample in samples if sample[0] >= max(end - LAST_SECONDS, end / 5)]
    slope, error = slope_of(warm) if len(warm) > 2 else (0.0, float("inf"))
    print(
        f"{what}: MB {samples[0][1]:.1f} at first, {sizes}; "
        f"{slope * 3600:+.1f} ± {error * 3600:.1f} an hour over the last {(end - warm[0][0]) / 60:.0f} min",
        flush=True,
    )


def slope_of(points: list[tuple[float, float]]) -> tuple[float, float]:
    """By least squares, with its standard error."""
    line = statistics.linear_regression(*zip(*points, strict=True))
    middle = statistics.fmean(x for x, _ in points)
    left = sum((y - line.intercept - line.slope * x) ** 2 for x, y in points)
    spread = sum((x - middle) ** 2 for x, _ in points)
    return line.slope, (left / (len(points) - 2) / spread) ** 0.5


def resident_mb(pid: int) -> float:
    """Of a process; its children have their own."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


INSIDE: dict[str, Any] = {"ticks": ticks_inside, "queue": queue_inside}

if __name__ == "__main__":
    main()
