"""Transcripts in the database: rows, edits, and history."""
