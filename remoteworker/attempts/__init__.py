"""The life cycle of an attempt: dispatch, polling, results."""
