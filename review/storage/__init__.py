"""Transcripts in the database: read, written, their history."""
