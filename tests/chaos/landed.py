"""Which files have changed since the last landing, as far as git can tell."""

import os
import subprocess
from datetime import datetime, timedelta

from tests.contract.installation import REPOSITORY

DAY = timedelta(days=1)


def changed_files() -> set[str] | None:
    """Return the paths that differ from what landed last, those not committed included; None where nobody knows."""
    base = landed()
    if base is None:
        return None
    changed = git("diff", "--name-only", "--no-renames", base)
    untracked = git("ls-files", "--others", "--exclude-standard")
    if changed is None or untracked is None:
        return None
    return {*changed.splitlines(), *untracked.splitlines()}


def landed() -> str | None:
    """Return the commit that landed last: the one that LANDED names, else where this branch left the main one, else,
    on the main branch itself, the last that is a day older than the newest. None in a shallow or young clone."""
    head, named = git("rev-parse", "HEAD"), os.environ.get("LANDED")
    if head is None or named:
        return named
    fork = git("merge-base", "HEAD", "origin/HEAD")
    if fork and fork != head:
        return fork
    newest = git("show", "--no-patch", "--format=%cI", "HEAD")
    if newest is None:
        return None
    until = (datetime.fromisoformat(newest) - DAY).isoformat()
    return git("rev-list", "-1", "--first-parent", f"--before={until}", "HEAD") or None


def git(*command: str) -> str | None:
    """What git says; None where it fails, or is not there."""
    try:
        done = subprocess.run(
            ["git", *command],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
