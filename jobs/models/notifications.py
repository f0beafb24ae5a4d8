"""Notification settings and outbox: Webhook, MailChoice, and Delivery."""

from __future__ import annotations

import secrets
import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.encryption import SecretCipher
from jobs.models.sessions import Session
from jobs.models.work import Job
from jobs.row_leases import RowLease

cipher = SecretCipher(b"jobs.webhooks.v1")


class NoticeEvent(models.TextChoices):
    """The event of a notification."""

    JOB_ENDED = "job.ended", _("job finished")
    PING = "ping", _("test")


class DeliveryStatus(models.TextChoices):
    """Status of a delivery."""

    WAITING = "waiting", _("Pending")
    DELIVERED = "delivered", _("Delivered")
    GIVEN_UP = "given_up", _("Failed")


class Webhook(models.Model):
    """A URL that receives signed POST requests for a user."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks")
    session = models.ForeignKey(
        Session, models.CASCADE, null=True, blank=True, verbose_name=_("session"), related_name="+"
    )
    url = models.CharField(_("URL"), max_length=1000)
    secret_encrypted = models.TextField(editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    is_gone = models.BooleanField(
        default=False,
        editable=False,
        help_text=_("the receiver returned 410 Gone and is not notified anymore"),
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.place

    @property
    def place(self) -> str:
        """The URL without path and query, which may contain secrets of the receiver."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def secret(self) -> str:
        return cipher.decrypt(self.secret_encrypted)

    def renew_secret(self) -> str:
        """Set and return a new secret, the only time it is shown."""
        secret = secrets.token_urlsafe(32)
        self.secret_encrypted = cipher.encrypt(secret)
        return secret


class MailChoice(models.Model):
    """When a user receives email."""

    class When(models.TextChoices):
        OFF = "off", _("Never")
        FAILED = "failed", _("When a file fails")
        ALWAYS = "always", _("Whenever a job finishes")

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="mail_choice"
    )
    when = models.CharField(_("email me"), max_length=6, choices=When.choices, default=When.OFF)

    def __str__(self) -> str:
        return f"{self.owner}: {self.get_when_display()}"


class Delivery(models.Model):
    """One notification to one receiver: a webhook, or the owner's email address if empty.

    `message` is the content as of the end of the job; every attempt sends the same. The columns from `tries` on
    describe the latest attempt. `held_until` is the lease of the process that is sending it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True, related_name="deliveries")
    job = models.ForeignKey(Job, models.CASCADE, null=True, related_name="notices")
    event = models.CharField(max_length=20, choices=NoticeEvent.choices)
    job_ended_at = models.DateTimeField(null=True)
    message = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.CharField(
        max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING, editable=False
    )
    due_at = models.DateTimeField(null=True, default=timezone.now, help_text=_("time of the next attempt"))
    held_until = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    answer_status = models.PositiveIntegerField(null=True, help_text=_("HTTP status"))
    answer_text = models.CharField(max_length=500, blank=True, help_text=_("the beginning of the response"))
    took_ms = models.FloatField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=models.Q(status="waiting")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "job_ended_at", "webhook"], name="a_hook_is_told_once_of_an_end"
            ),
            models.UniqueConstraint(
                fields=["job", "job_ended_at", "owner"],
                condition=models.Q(webhook=None, event="job.ended"),
                name="a_person_is_written_to_once_of_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} → {self.webhook or self.owner}"


SENDING = RowLease(Delivery, "held_until", "NOTICE_HELD_SECONDS")
