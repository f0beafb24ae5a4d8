"""Log lines are JSON and keep secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.gpu_worker.worker import ROOT

FAILING = """
try:
    raise ValueError("http://controller/x?sig=secret")
except ValueError:
    logs.failed("request_error", workerJobId="w1")
"""


def logged(program: str) -> dict[str, Any]:
    """The one line that a process writes."""
    command = [sys.executable, "-c", f"from gpu_worker import logs\nlogs.configure()\n{program}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    [line] = ended.stderr.splitlines()
    written: dict[str, Any] = json.loads(line)
    return written


def test_an_event_is_one_json_line_without_empty_fields() -> None:
    written = logged("logs.log('download_done', workerJobId='w1', bytes=5, code=None)")
    assert (written["event"], written["level"]) == ("download_done", "info")
    assert (written["workerJobId"], written["bytes"]) == ("w1", 5)
    assert "code" not in written
    assert written["time"].endswith("+00:00")


def test_an_errors_text_stays_out_of_the_log() -> None:
    written = logged(FAILING)
    assert "secret" not in json.dumps(written)
    assert written["traceback"] == ["<string>:5 <module>", "ValueError"]
    assert written["workerJobId"] == "w1"


def test_a_mistake_in_logging_itself_is_no_leak() -> None:
    program = "import logging\nlogging.getLogger('x').error('%d', 'sig=secret')\nlogs.log('after')"
    assert logged(program)["event"] == "after"
