"""The JSON API of sessions, files and jobs."""
