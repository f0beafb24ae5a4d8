"""The worker's HTTP service."""
