"""A user's workspace, its uploads, and unfinished uploads."""

import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.media import serving

LEAST_AUDIBLE = 0.2  # seconds
SILENT_SECONDS = 10.0  # a sender who writes nothing for so long has broken off
RETENTION_DAYS = {30: _("30 days"), 90: _("90 days"), 365: _("365 days")}
USE_NOTED = timedelta(minutes=1)


class Session(models.Model):
    """A user's workspace with uploads and jobs. (Not related to Django's `request.session`.)"""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="workspaces")
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    served_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text=_("when a worker last took one of its files; sessions are served in this order"),
    )
    state_version = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("incremented whenever its page changes")
    )
    retention_days = models.PositiveSmallIntegerField(
        _("retention"),
        choices=[(None, _("Forever")), *RETENTION_DAYS.items()],
        null=True,
        blank=True,
        help_text=_("time after the last change until the session moves to Trash"),
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-touched_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def kept_until(self) -> datetime | None:
        """Return when it moves to Trash if nothing changes; None if it is kept forever."""
        return self.touched_at + timedelta(days=self.retention_days) if self.retention_days else None

    def touch(self) -> None:
        """Record a change now."""
        self.touched_at = timezone.now()
        Session.note_change(pk=self.pk, touched_at=self.touched_at)

    @classmethod
    def note_change(cls, *, touched_at: datetime | None = None, **which: Any) -> None:
        """Record, in the transaction of a change, that the page of the session changes."""
        also = {"touched_at": touched_at} if touched_at else {}
        cls.objects.filter(**which).update(state_version=models.F("state_version") + 1, **also)

    @classmethod
    def note_use(cls, **which: Any) -> None:
        """Record a change that the page does not show; at most once per minute, since typing causes many."""
        now = timezone.now()
        cls.objects.filter(touched_at__lt=now - USE_NOTED, **which).update(touched_at=now)


class Upload(models.Model):
    """A media file. `name` is the original file name; on disk it has a generated one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="uploads")
    name = models.CharField(_("name"), max_length=255)
    folder = models.CharField(
        _("folder"), max_length=1000, blank=True, help_text=_("original folder path, separated by /")
    )
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    is_used = models.BooleanField(
        default=False, editable=False, help_text=_("used by a job that is not deleted; derived from the jobs")
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["created_at", "name"]
        indexes = [
            models.Index(fields=["session", "is_used", "created_at", "id"], name="upload_shown"),
            models.Index(fields=["created_at", "id"], name="upload_by_age"),
            models.Index(
                fields=["session"], condition=models.Q(deleted_at__isnull=False), name="upload_deleted"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return Path(settings.MEDIA_DIR) / self.id.hex[:2] / self.id.hex

    @property
    def content_type(self) -> str:
        """Return the media type from a closed list, never the one claimed by the browser."""
        return serving.content_type(self.name)


class Sound(models.Model):
    """The audio analysis of an upload. `levels` are the peaks over time, 0 to 255."""

    upload = models.OneToOneField(Upload, models.CASCADE, primary_key=True, related_name="sound")
    seconds = models.FloatField(default=0.0)
    codec = models.CharField(max_length=40, blank=True)
    container = models.CharField(max_length=60, blank=True, help_text=_("FFmpeg's name for the format"))
    channels = models.PositiveIntegerField(default=0)
    rate = models.PositiveIntegerField(default=0, help_text=_("samples per second"))
    levels = models.BinaryField(default=bytes)
    audible = models.FloatField(null=True, help_text=_("seconds louder than silence"))
    track = models.PositiveSmallIntegerField(default=0, help_text=_("index of the audio track, from 0"))
    problem = models.CharField(max_length=20, blank=True, help_text=_("why the audio could not be analyzed"))
    looked_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.problem or f"{self.seconds:.1f} s"

    @property
    def is_silent(self) -> bool:
        """Return whether it is silent, apart from clicks."""
        return not self.problem and self.audible is not None and self.audible < LEAST_AUDIBLE


class PlayableCopy(models.Model):
    """The playable copy of an upload; empty if it could not be created."""

    CONTENT_TYPE = "audio/webm"

    upload = models.OneToOneField(Upload, models.CASCADE, primary_key=True, related_name="playable")
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("playable copies")

    def __str__(self) -> str:
        return f"{self.upload_id}: {self.size_bytes} bytes"

    @property
    def path(self) -> Path:
        """Return the path of the file, if it exists."""
        return self.upload.path.with_suffix(".webm")


class IncomingUpload(models.Model):
    """An unfinished resumable upload; `path` durably contains `offset_bytes` bytes.

    Once complete, it has an `upload` or is a `duplicate_of` one; the row remains until it expires, so that a client
    that lost the last response can ask again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="incoming")
    name = models.CharField(max_length=255)
    folder = models.CharField(max_length=1000, blank=True)
    size_bytes = models.BigIntegerField()
    offset_bytes = models.BigIntegerField(default=0)
    upload = models.ForeignKey(Upload, models.SET_NULL, null=True, related_name="+")
    duplicate_of = models.ForeignKey(Upload, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(offset_bytes__gte=0, offset_bytes__lte=models.F("size_bytes")),
                name="incoming_offset",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        """Return the path of the received bytes."""
        return Path(settings.INCOMING_DIR) / self.id.hex

    @property
    def is_whole(self) -> bool:
        return self.offset_bytes == self.size_bytes

    @property
    def is_arriving(self) -> bool:
        """Return whether it is being sent now, judged by the file, since the row is written only once per chunk."""
        try:
            return not self.is_whole and time.time() - self.path.stat().st_mtime < SILENT_SECONDS
        except FileNotFoundError:
            return False

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
