"""Registry, health, and capacity of the workers."""
