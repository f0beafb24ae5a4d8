"""The life of an attempt."""
