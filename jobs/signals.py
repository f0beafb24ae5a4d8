"""Signals for apps that `jobs` does not know.

Each is sent inside the transaction of the change.
"""

from django.dispatch import Signal

input_queued = Signal()  # job: at least one input of it waits for a worker
input_canceled = Signal()  # job_input
input_completed = Signal()  # result: the Result with its files
