"""What keeps the processes of the controller small."""

import ctypes
import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from bulktranscribe.runtime import memory
memory.share_heaps()
gate = threading.Barrier(9)
def work():
    held = [bytes(1000) for _ in range(1000)]
    gate.wait()
    gate.wait()
for _ in range(8):
    threading.Thread(target=work).start()
gate.wait()
ctypes.CDLL(None).malloc_stats()
gate.wait()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_stats"), reason="not glibc")
def test_threads_share_two_heaps() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert 1 <= done.stderr.count("\nArena ") + done.stderr.startswith("Arena ") <= 2, done.stderr
