"""The worker's jobs: accepted, journaled, run."""
