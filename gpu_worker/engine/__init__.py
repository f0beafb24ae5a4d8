"""The process that has the speech models, and the handle on it."""
