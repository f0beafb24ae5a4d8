"""How quickly the state of a session with 10,000 files is answered, here and in another checkout, request by request:
`python -m benchmarks.state_answer --against ../before`. Says too whether both answer the same; judges nothing.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.large_session import answers, fill, sign_in
from tests.contract.installation import REPOSITORY, SECRET, clean_environment, wait_for
from tests.ports import free_port

JOBS, FILES_OF_A_JOB = 200, 50
PAGES = {"first page": "", "last page": "?page=200", "failed": "?show=failed", "by name": "?q=talk+49"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout, with a .venv")
    parser.add_argument("--requests", type=int, default=200, help="of each page")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        fill(JOBS, FILES_OF_A_JOB, others=0)
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    trees = {"here": REPOSITORY, **({"there": options.against.resolve()} if options.against else {})}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        env = environment(Path(folder))
        argv = [sys.executable, "-m", "benchmarks.state_answer", "--inside"]
        filled = subprocess.run(argv, cwd=REPOSITORY, env=env, check=True, stdout=subprocess.PIPE, text=True)
        webs = {name: stack.enter_context(served(tree, env)) for name, tree in trees.items()}
        measure(webs, filled.stdout.split()[-1], options.requests)


def environment(folder: Path) -> dict[str, str]:
    own = {"DATA_DIR": str(folder), "SECRET_KEY": SECRET, "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "127.0.0.1"}
    return {**clean_environment(), **own}


@dataclass(frozen=True)
class Web:
    """The web process of a checkout."""

    base: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return how long it has been busy: other programs slow answers down, but not this."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(tree: Path, env: dict[str, str]) -> Iterator[Web]:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    argv = [str(tree / ".venv" / "bin" / "python"), "manage.py", "serve"]
    with subprocess.Popen(argv, cwd=tree, env={**env, "WEB_PORT": str(port)}) as web:
        try:
            wait_for(lambda: answers(base), 60, "the web process answers")
            yield Web(base, web.pid)
        finally:
            web.terminate()


def measure(webs: dict[str, Web], session: str, count: int) -> None:
    browsers = {name: requests.Session() for name in webs}
    for name, browser in browsers.items():
        browser.trust_env = False
        sign_in(browser, webs[name].base)
    for page, query in PAGES.items():
        took: dict[str, list[float]] = {name: [] for name in webs}
        said, busy = {}, dict.fromkeys(webs, 0.0)
        for number in range(-3, count):
            for name in sorted(webs, reverse=bool(number % 2)):
                busy[name] -= webs[name].cpu_seconds() if number == 0 else 0.0
                started = time.perf_counter()
                answer = browsers[name].get(f"{webs[name].base}/api/sessions/{session}/state{query}")
                took[name].append(time.perf_counter() - started)
                answer.raise_for_status()
                said[name] = answer
        for name, seconds in took.items():
            middle, high = statistics.median(seconds[3:]), sorted(seconds[3:])[int(count * 0.95)]
            busy_ms, size = (busy[name] + webs[name].cpu_seconds()) * 1e3 / count, len(said[name].content)
            print(
                f"{page}, {name}: median {middle * 1e3:.1f} ms, p95 {high * 1e3:.1f} ms, "
                f"{busy_ms:.1f} ms busy, {size} bytes"
            )
        if len(said) > 1:
            first, second = (answer.json() for answer in said.values())
            print(f"{page}: the same answer: {first == second}")


if __name__ == "__main__":
    main()
