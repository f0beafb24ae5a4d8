"""Whether everything is as it must be: rows, files, services."""
