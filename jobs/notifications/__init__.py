"""Notifications about finished jobs: signed webhooks and email. Browser notifications are in static/jobs."""
