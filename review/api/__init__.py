"""The JSON that the review page and programs talk to."""
