"""Sessions, uploads and the life of a job; speaks to no network."""
