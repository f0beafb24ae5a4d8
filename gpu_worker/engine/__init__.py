"""The engine process with the speech models, and its handle."""
