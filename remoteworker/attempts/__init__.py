"""The life of an attempt: dispatched, polled, its results stored."""
