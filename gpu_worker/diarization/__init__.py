"""Who speaks when: pyannote's pipelines, their starter weights, and words given to speakers."""
