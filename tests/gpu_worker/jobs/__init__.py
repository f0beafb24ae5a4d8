"""The worker's jobs, on a real worker."""
