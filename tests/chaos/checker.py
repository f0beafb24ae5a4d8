"""`python -m tests.chaos.checker`: checks the invariants for every line that it reads, and says what is broken as JSON.

One process for a whole run: `manage.py check_invariants` would load the controller anew after each test.
"""

import json
import os
import subprocess
import sys
from typing import IO

from tests.contract.installation import REPOSITORY


class Checker:
    """Such a process, on the installation of this environment."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.checker"],
            cwd=REPOSITORY,
            env={**env, "DJANGO_SETTINGS_MODULE": "bulktranscribe.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def broken(self) -> list[str]:
        """The invariants that do not hold, in words."""
        asked, told = self._pipes()
        asked.write("\n")
        asked.flush()
        found: list[str] = json.loads(told.readline())
        return found

    def stop(self) -> None:
        """End it."""
        asked, told = self._pipes()
        asked.close()
        self.process.wait()
        told.close()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin and self.process.stdout
        return self.process.stdin, self.process.stdout


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")
    import django

    django.setup()
    from django.db import close_old_connections

    from bulktranscribe.integrity import invariants

    for _line in sys.stdin:
        close_old_connections()
        print(json.dumps([str(broken) for broken in invariants.check(files=True)]), flush=True)


if __name__ == "__main__":
    main()
