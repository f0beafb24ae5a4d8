"""API tokens: programs that act on behalf of a user."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.models.sessions import Session

USED_EVERY = timedelta(minutes=1)  # `last_used_at` is not written more often


class Scope(models.TextChoices):
    """Permissions of a token."""

    READ = "read", _("view and download sessions, files, jobs, and transcripts")
    UPLOAD = "upload", _("create and rename sessions, and upload files")
    JOBS = "jobs", _("start, cancel, and retry jobs")
    EDIT = "edit", _("edit transcripts")
    DELETE = "delete", _("delete and restore sessions, files, and jobs, and change retention")


class ApiToken(models.Model):
    """Lets a program act for its owner within its scopes. Only the sha256 of the secret is stored, as `digest`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text=_("the first characters of the secret"))
    scopes: models.JSONField[list[str], list[str]] = models.JSONField(_("permissions"), default=list)
    session = models.ForeignKey(
        Session, models.CASCADE, null=True, blank=True, related_name="+", help_text=_("empty: all sessions")
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API token")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @staticmethod
    def valid() -> models.QuerySet["ApiToken"]:
        """Return the tokens that are currently valid."""
        in_time = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return ApiToken.objects.filter(in_time, owner__is_active=True)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def powers(self) -> list[str]:
        """Return its scopes as text."""
        return [str(scope.label) for scope in Scope if scope in self.scopes]

    def note_use(self) -> None:
        """Record its use, at most once per minute."""
        now = timezone.now()
        unused = models.Q(last_used_at=None) | models.Q(last_used_at__lt=now - USED_EVERY)
        if self.last_used_at is None or self.last_used_at < now - USED_EVERY:
            ApiToken.objects.filter(unused, pk=self.pk).update(last_used_at=now)
