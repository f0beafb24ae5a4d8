"""Diarization: pyannote's pipelines, starter weights, and the assignment of words to speakers."""
