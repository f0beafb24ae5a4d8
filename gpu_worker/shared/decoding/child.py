"""The decoding child process as seen by its parent: a hostile file ends the child, not the service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from gpu_worker.shared.child_process import child_environment, die_with_parent
from gpu_worker.shared.decoding.limits import MAX_CHILD_SECONDS

# numpy's BLAS maps memory for every core at its import; on a large box that alone is more than a child may have.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
STOPPED = (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)  # a stop of the service reaches its children
LOOK_SECONDS = 0.2  # between two calls of the checkpoint


class Interrupted(Exception):
    """The service is being stopped, and the child with it: this says nothing about the file."""


class OutOfTime(Exception):
    """The child took too long; `answer` is what it had printed by then."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("The child took too long.")
        self.answer = answer


def ask_child(module: str, *arguments: str, checkpoint: Callable[[], None] = lambda: None) -> bytes:
    """Run `python -m module PARENT arguments` and return what it printed: nothing where a limit ended it.

    `checkpoint` is called a few times a second and may raise to stop. Raises Interrupted, OutOfTime.
    """
    command = [sys.executable, "-m", module, str(os.getpid()), *arguments]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**ONE_THREAD, **child_environment()},
    ) as child:
        try:
            answer = _wait(child, checkpoint)
        finally:
            child.kill()
    if child.returncode in STOPPED:
        raise Interrupted
    return answer


def child_arguments() -> list[str]:
    """The arguments that `ask_child` was given, in the child, which from here on ends with its parent."""
    parent, *arguments = sys.argv[1:]
    die_with_parent(int(parent))
    return arguments


def _wait(child: subprocess.Popen[bytes], checkpoint: Callable[[], None]) -> bytes:
    deadline = time.monotonic() + MAX_CHILD_SECONDS
    while True:
        checkpoint()
        try:
            return child.communicate(timeout=LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired as late:
            if time.monotonic() > deadline:
                raise OutOfTime(late.stdout or b"") from None
