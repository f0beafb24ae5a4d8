"""Uploads, whole or resumable."""
