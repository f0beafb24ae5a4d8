"""The GPU worker: deployable alone with requirements/worker.txt and this folder."""
