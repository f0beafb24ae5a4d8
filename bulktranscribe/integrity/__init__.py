"""Integrity checks of rows, files, and services."""
