"""Jobs of the worker: admission, journal, execution."""
