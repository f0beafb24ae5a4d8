"""The JSON of sessions, files and jobs."""
