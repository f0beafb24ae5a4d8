"""Inputs of the engine: download, decoding, and cache."""
