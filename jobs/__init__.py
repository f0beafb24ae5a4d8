"""Sessions, uploads, and the life cycle of a job. Makes no network connections."""
