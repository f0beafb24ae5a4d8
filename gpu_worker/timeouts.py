"""How long the worker waits for its controller, in seconds. PERIODS_DIVISOR shortens all of it for a test."""

from __future__ import annotations

import os


def shortened(seconds: float) -> float:
    """Return a period divided by PERIODS_DIVISOR; what is no number above 0 divides by nothing."""
    try:
        divisor = float(os.environ.get("PERIODS_DIVISOR", "").strip() or 1.0)
    except ValueError:
        return seconds
    return seconds / divisor if divisor > 0 else seconds


FIRST_WAIT = shortened(1.0)  # before the first retry of a call
LONGEST_WAIT = shortened(60.0)
WRITEBACK_PATIENCE = shortened(35 * 60.0)  # of trying; the protocol asks for 30 minutes at least
DOWNLOAD_PATIENCE = shortened(120.0)  # without a new byte before the controller counts as unreachable
SLICE_PATIENCE = shortened(600.0)  # that a job waits for the next byte of its file, in push mode
