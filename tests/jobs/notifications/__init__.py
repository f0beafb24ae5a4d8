"""People are told that a job has ended."""
