"""The JSON API of transcripts for the review page and programs."""
