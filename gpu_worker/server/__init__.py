"""The worker's HTTP service: fast, without torch."""
