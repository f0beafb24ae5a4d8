"""Transcript, Speaker, and Segment: the current state. Edit: the append-only history.

The machine transcript (`jobs.ResultFile`) is kept and never changes.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models import JobInput
from review.edits.edit_validation import COLOURS
from review.edits.fractional_index import LONGEST
from review.edits.word_timing import TimedWord

Texts = models.JSONField[list[str], list[str]]


class RankField(models.CharField[str, str]):
    """Text that is compared byte by byte, as ranks require, regardless of the database collation."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        collation = "C" if connection.vendor == "postgresql" else None  # SQLite's own order is by byte
        return {**super().db_parameters(connection), "collation": collation}


class Transcript(models.Model):
    """The transcript of one input; its id is the input's."""

    class ReviewStatus(models.TextChoices):
        NEW = "new", _("New")
        IN_REVIEW = "in_review", _("In review")
        SECOND_LOOK = "second_look", _("Needs second review")
        DONE = "done", _("Done")

    job_input = models.OneToOneField(JobInput, models.CASCADE, primary_key=True, related_name="transcript")
    version = models.PositiveIntegerField(default=0)
    review_status = models.CharField(max_length=12, choices=ReviewStatus.choices, default=ReviewStatus.NEW)
    reviewer = models.CharField(max_length=200, null=True, blank=True)
    doubtful = models.PositiveIntegerField(default=0, help_text=_("number of flagged segments"))
    unchecked_seconds = models.FloatField(default=0.0, help_text=_("duration of unchecked segments"))
    language = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=200, blank=True)
    engine = models.CharField(max_length=100, blank=True)
    duration = models.FloatField(default=0.0, help_text=_("seconds"))
    warnings = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.job_input.upload.name


class Speaker(models.Model):
    """A speaker: the label from diarization, empty if added by a person, and the assigned name."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="speakers")
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200, blank=True)
    colour = models.PositiveSmallIntegerField(default=1, help_text=_("1 to 9"))
    hotkey = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("1 to 9"))
    removed = models.BooleanField(default=False, help_text=_("merged into another"))
    version = models.PositiveIntegerField(default=0, help_text=_("transcript version of the last change"))

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["transcript", "label"], condition=~models.Q(label=""), name="speaker_label_unique"
            ),
            models.UniqueConstraint(fields=["transcript", "key"], name="speaker_key_unique"),
            models.UniqueConstraint(fields=["transcript", "hotkey"], name="speaker_hotkey_unique"),
            models.CheckConstraint(condition=models.Q(colour__range=(1, COLOURS)), name="speaker_colour"),
            models.CheckConstraint(
                condition=models.Q(hotkey=None) | models.Q(hotkey__range=(1, COLOURS)), name="speaker_hotkey"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.label


class Segment(models.Model):
    """What the reviewer edits. `words` has a `TimedWord` each, as its array."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="segments")
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    rank = RankField(max_length=LONGEST)
    start = models.FloatField()
    end = models.FloatField()
    text = models.TextField(blank=True)
    machine_text = models.TextField(blank=True)
    words: models.JSONField[list[TimedWord], list[list[Any]]] = models.JSONField(default=list)
    # RESTRICT: a speaker goes only when nobody's words are theirs; the whole transcript may go at once.
    speaker = models.ForeignKey(Speaker, models.RESTRICT, null=True, blank=True, related_name="segments")
    flags = models.JSONField(default=list, help_text=_("{kind, score, dismissed?}"))
    highlighted = models.BooleanField(default=False)
    checked = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=0, help_text=_("transcript version of the last change"))

    class Meta:
        ordering = ["rank"]
        indexes = [models.Index(fields=["transcript", "version"], name="segment_changes")]
        constraints = [
            models.UniqueConstraint(fields=["transcript", "rank"], name="segment_rank_unique"),
            models.UniqueConstraint(fields=["transcript", "key"], name="segment_key_unique"),
            models.CheckConstraint(
                condition=models.Q(start__gte=0, end__gte=models.F("start")), name="segment_times"
            ),
        ]

    def __str__(self) -> str:
        return self.text[:60]


class Edit(models.Model):
    """One edit. Append-only, except for `undone_by`.

    Edits with the same version are a batch: they were applied, and are undone, together.
    """

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="edits")
    seq = models.PositiveIntegerField(help_text=_("position in the history, starting at 1"))
    version = models.PositiveIntegerField(help_text=_("transcript version that this edit created"))
    edit_id = models.UUIDField(
        help_text=_("chosen by the client, so that a lost response can be retried safely")
    )
    client = models.UUIDField(help_text=_("the page that sent the edit"))
    who = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    who_name = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=20)
    payload = models.JSONField(default=dict)
    patch = models.JSONField(default=dict)
    segment_keys: Texts = models.JSONField(default=list)
    speaker_keys: Texts = models.JSONField(default=list)
    removed_keys: Texts = models.JSONField(default=list)
    changes = models.BooleanField(default=True, help_text=_("there is something to undo"))
    undone_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="undoes")

    class Meta:
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["transcript", "version"], name="edit_changes"),
            models.Index(fields=["transcript", "who", "version"], name="edit_of_person"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["transcript", "seq"], name="edit_seq_unique"),
            models.UniqueConstraint(fields=["transcript", "edit_id"], name="edit_id_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.kind}"


class Revision(models.Model):
    """A saved version: a state of the transcript that somebody gave a name to.

    Everybody else calls it a version. The table, the addresses and the fields of the API were named before that,
    and a model has its table's name.
    """

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="revisions")
    name = models.CharField(max_length=200)
    who_name = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField()
    state = models.JSONField(help_text=_("in wire format"))

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Presence(models.Model):
    """A page that is viewing the transcript, and its position."""

    transcript = models.ForeignKey(Transcript, models.CASCADE, related_name="presences")
    client = models.UUIDField()
    name = models.CharField(max_length=200)
    segment = models.UUIDField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transcript", "client"], name="presence_client_unique")
        ]

    def __str__(self) -> str:
        return self.name
