"""People are told that a job has ended: by signed webhooks and by e-mail. What the page tells is in static/jobs."""
