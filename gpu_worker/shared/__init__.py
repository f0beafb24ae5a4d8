"""PUBLISHED: what worker and controller both import."""
