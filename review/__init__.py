"""Reviewing transcripts."""
