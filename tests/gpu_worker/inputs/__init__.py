"""Recordings on their way to the engine."""
