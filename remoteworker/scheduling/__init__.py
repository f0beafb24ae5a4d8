"""Scheduling: which file runs next, on which worker, and how long it will take."""
