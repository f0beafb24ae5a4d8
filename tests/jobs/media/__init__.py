"""Recordings looked at, copied and served."""
