"""Child processes that exit with their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h

SECRET_ENDINGS = ("_TOKEN", "_TOKEN_PREVIOUS", "SECRET_KEY", "_PASSWORD")
PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends. Linux only; elsewhere
    the closed pipe has to do. `parent` is the pid that started us: it may be gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def child_environment(*secrets: str) -> dict[str, str]:
    """The environment for a `python -m` of ours: its package importable, no token or key handed on
    but the named ones."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in secrets or not name.endswith(SECRET_ENDINGS)
    }
    inherited = environ.get("PYTHONPATH")
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PACKAGE_PARENT), inherited)))
    return environ
