"""Transcript, Speaker, Segment: the current state of a transcript, a row each.

The machine's own files stay beside it (`jobs.ResultFile`) and never change.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import JobInput

COLOURS = 9


class Transcript(models.Model):
    """The transcript of one input; its id is the input's."""

    class ReviewStatus(models.TextChoices):
        NEW = "new", _("new")
        IN_REVIEW = "in_review", _("in review")
        SECOND_LOOK = "second_look", _("needs a second look")
        DONE = "done", _("done")

    job_input = models.OneToOneField(JobInput, models.CASCADE, primary_key=True, related_name="transcript")
    version = models.PositiveIntegerField(default=0)
    review_status = models.CharField(max_length=12, choices=ReviewStatus.choices, default=ReviewStatus.NEW)
    language = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=200, blank=True)
    engine = models.CharField(max_length=100, blank=True)
    duration = models.FloatField(default=0.0, help_text=_("seconds"))
    warnings = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.job_input.upload.name


class Speaker(models.Model):
    """Who speaks: the label from diarization and, once a person gave it, a name."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="speakers")
    label = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    colour = models.PositiveSmallIntegerField(default=1, help_text=_("1 to 9"))

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["transcript", "label"], name="speaker_label_unique")]

    def __str__(self) -> str:
        return self.name or self.label


class Segment(models.Model):
    """What the reviewer edits. `words` is a list of {word, start, end, probability}."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="segments")
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    position = models.PositiveIntegerField()
    start = models.FloatField()
    end = models.FloatField()
    text = models.TextField()
    machine_text = models.TextField()
    words: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    speaker = models.ForeignKey(Speaker, models.SET_NULL, null=True, blank=True, related_name="segments")
    flags = models.JSONField(default=list)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["transcript", "position"], name="segment_position_unique"),
            models.UniqueConstraint(fields=["transcript", "key"], name="segment_key_unique"),
        ]

    def __str__(self) -> str:
        return self.text[:60]
