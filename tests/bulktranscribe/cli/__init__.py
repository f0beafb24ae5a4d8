"""The command line, here and elsewhere."""
