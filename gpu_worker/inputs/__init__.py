"""Recordings on their way to the engine: downloaded, decoded, kept."""
