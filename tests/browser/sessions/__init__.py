"""Sessions: files coming in, jobs, their end."""
