"""`python -m gpu_worker`: start the worker. `--check` prints the preflight checks and exits."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from types import FrameType

import waitress

from gpu_worker import logs
from gpu_worker.config import BadConfig, Config, read_config
from gpu_worker.directories import Directories
from gpu_worker.engine.handle import Engine
from gpu_worker.jobs.journal import Journal
from gpu_worker.jobs.registry import JobStore
from gpu_worker.jobs.runner import Runner
from gpu_worker.preflight import preflight
from gpu_worker.server.app import App
from gpu_worker.server.metrics import Metrics
from gpu_worker.shared.protocol import MAX_REQUEST_BYTES, VERSION

CHECK_SECONDS = 600.0  # for the engine to start and to load, or download, its model


def main() -> int:
    """Return the exit status; expected failures are printed as one sentence on stderr."""
    parser = argparse.ArgumentParser(prog="python -m gpu_worker", description=__doc__)
    parser.add_argument("--check", action="store_true", help="check this machine and report problems")
    arguments = parser.parse_args()
    logs.configure()
    try:
        config = read_config()
        directories = Directories(config.tmp_dir, config.state_dir)
        engine = Engine(config)
        if arguments.check:
            return check(config, engine)
        serve(config, directories, engine)
    except BadConfig as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def serve(config: Config, directories: Directories, engine: Engine) -> None:
    """Serve requests until SIGTERM or Ctrl-C."""
    journal = Journal(config.state_dir)
    metrics = Metrics()
    runner = Runner(config, journal, engine, directories, metrics)
    jobs = JobStore(config, journal, engine, runner, metrics)
    try:
        # With waitress's own limits, 110 half-open connections silence /health.
        server = waitress.create_server(
            App(config, jobs, engine, runner.engine_slots, metrics),
            host=config.host,
            port=config.port,
            threads=8,
            connection_limit=2000,
            channel_timeout=20,
            max_request_body_size=MAX_REQUEST_BYTES + 1,  # it refuses what reaches the limit
            ident=None,
        )
    except OSError as taken:
        raise BadConfig(f"Port {config.port} cannot be used ({taken.strerror}). Set WORKER_PORT.") from taken
    signal.signal(signal.SIGTERM, _stop)
    try:
        engine.open()
        jobs.recover()
        logs.log("worker_started", version=VERSION, port=int(server.effective_port), model=config.model)
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        engine.close()
        logs.log("worker_stopped")


def check(config: Config, engine: Engine) -> int:
    """Print all checks; return 0 if they pass."""
    engine.open()
    deadline = time.monotonic() + CHECK_SECONDS
    while not engine.state.has_looked and not engine.state.failed_starts and time.monotonic() < deadline:
        time.sleep(0.2)
    found = preflight(config, engine.state)
    engine.close()
    for name, result in found["checks"].items():
        sys.stdout.write(f"{'ok   ' if result['ok'] else 'WRONG'}  {name:12} {result['message']}\n")
    return 0 if found["status"] == "ok" else 1


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
