"""Worker (one row per machine), Attempt (one run of an input on a worker), and staged outputs."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gpu_worker.shared.protocol import Capabilities, is_trusted_transport, parse_capabilities
from jobs import clock
from jobs.encryption import SecretCipher
from jobs.models import JobInput
from jobs.row_leases import RowLease
from jobs.statuses import Event

BREAKER_FAILURES = 3
MAX_ROUNDS = 100  # of files one after the other that a deadline leaves room for
tokens = SecretCipher(b"remoteworker.vault.v1")


def check_address(url: str) -> None:
    """Raise ValidationError unless tokens may be sent to this URL (compose names are allowed)."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or parts.username or parts.password:
        raise ValidationError(_("Enter an http or https URL, such as https://gpu.example:8477."))
    if not settings.ALLOW_INSECURE_WORKER and not is_trusted_transport(url):
        raise ValidationError(
            _("Use https://… (http is allowed for this machine only, unless ALLOW_INSECURE_WORKER=1).")
        )


class Worker(models.Model):
    """A machine that transcribes. Its capabilities come from the last ping."""

    class Kind(models.TextChoices):
        LOCAL = "local", _("local")
        REMOTE = "remote", _("remote")

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.REMOTE)
    url = models.CharField(_("URL"), max_length=500, unique=True, validators=[check_address])
    token_encrypted = models.TextField(blank=True, editable=False)
    from_settings = models.BooleanField(default=False, editable=False)
    is_retired = models.BooleanField(
        default=False, editable=False, help_text=_("was defined in the settings, which no longer list it")
    )
    enabled = models.BooleanField(default=True)
    drain = models.BooleanField(default=False, help_text=_("finish running files, accept no new ones"))
    capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("empty: as reported by the worker")
    )
    price_per_hour = models.DecimalField(max_digits=8, decimal_places=4, null=True, blank=True)
    is_connected = models.BooleanField(default=False, editable=False)
    polled_until = models.DateTimeField(
        null=True, editable=False, help_text=_("lease of the process that is polling it")
    )
    polled_at = models.DateTimeField(null=True, editable=False, help_text=_("last polled"))
    handed_until = models.DateTimeField(
        null=True, editable=False, help_text=_("lease of the process that is dispatching files to it")
    )
    busy_until = models.DateTimeField(
        null=True, editable=False, help_text=_("at capacity: not offered files before this time")
    )
    busy_with = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("number of files it held when it last refused one")
    )
    refusals = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("capacity refusals since it last accepted a file")
    )
    failures = models.PositiveIntegerField(default=0, editable=False, help_text=_("consecutive failures"))
    unreachable_since = models.DateTimeField(null=True, editable=False)
    speeds = models.JSONField(
        default=dict, editable=False, help_text=_("measured audio seconds per second, by model")
    )
    checked_at = models.DateTimeField(null=True, editable=False)
    last_ping_at = models.DateTimeField(null=True, editable=False)
    latency_ms = models.FloatField(null=True, editable=False)
    capabilities = models.JSONField(default=dict, editable=False)
    last_error = models.JSONField(null=True, editable=False)

    class Meta:
        ordering = ["kind", "name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def usable(cls) -> models.QuerySet[Worker]:
        """Return the workers that may be contacted."""
        return cls.objects.filter(enabled=True, is_retired=False)

    @property
    def token(self) -> str:
        return tokens.decrypt(self.token_encrypted)

    @token.setter
    def token(self, value: str) -> None:
        self.token_encrypted = tokens.encrypt(value.strip())

    @property
    def reported(self) -> Capabilities:
        """What it reported at its last ping."""
        return parse_capabilities(self.capabilities)

    @property
    def slots(self) -> int:
        """Return how many attempts it accepts at once: running ones and the few that are queued on it."""
        return self.capacity if self.capacity is not None else self.reported.places

    @property
    def models_at_hand(self) -> list[str]:
        """Return the speech models it reports as available."""
        return list(self.reported.models)

    @property
    def parallel(self) -> int:
        """Return how many recordings it reports to transcribe at once."""
        return self.reported.max_concurrent_jobs

    def seconds_for_a_file(self, active: int) -> float:
        """Return the time limit of a file that it accepts in addition to `active` others.

        Each file may take REMOTE_WORKER_TIMEOUT_SECONDS, and a worker at capacity may process all others first, since
        files that download slowly are overtaken.
        """
        rounds = 1 + max(self.slots - 1, active) // self.parallel
        return settings.REMOTE_WORKER_TIMEOUT_SECONDS * min(MAX_ROUNDS, rounds)

    @property
    def is_circuit_open(self) -> bool:
        """Return whether it failed so often in a row that a single probe replaces polling all its attempts."""
        return self.failures >= BREAKER_FAILURES

    def active_attempts(self) -> models.QuerySet[Attempt]:
        return self.attempts.filter(ended_at=None)


class Attempt(models.Model):
    """One run of one input on one worker. Its number, from 1, is the fencing token; its id the idempotency key."""

    class Outcome(models.TextChoices):
        COMPLETE = "complete", _("complete")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")
        SUPERSEDED = "superseded", _("superseded")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job_input = models.ForeignKey(JobInput, models.CASCADE, related_name="attempts")
    worker = models.ForeignKey(Worker, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    worker_job_id = models.CharField(max_length=200, blank=True, db_index=True)
    boot_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True, help_text=_("last dispatched"))
    accepted_at = models.DateTimeField(null=True, blank=True)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True, help_text=_("when processing was first observed"))
    deadline_at = models.DateTimeField()
    outputs_due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("the worker reported completion; its result is due by this time")
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    cancel_pending = models.BooleanField(
        default=False, help_text=_("the worker has not been told to stop yet")
    )
    is_push = models.BooleanField(
        default=False, help_text=_("push mode: the controller makes every connection")
    )
    is_brought = models.BooleanField(default=False, help_text=_("push mode: the worker has the whole file"))
    brought_until = models.DateTimeField(
        null=True, editable=False, help_text=_("push mode: lease of the process that is sending the file")
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["job_input", "number"], name="attempt_number_unique"),
            models.UniqueConstraint(
                fields=["job_input"], condition=Q(ended_at=None), name="one_active_attempt_of_an_input"
            ),
        ]
        indexes = [
            models.Index(fields=["worker"], condition=Q(ended_at=None), name="attempt_active"),
            models.Index(fields=["created_at", "id"], name="attempt_by_age"),
            models.Index(fields=["worker"], condition=Q(cancel_pending=True), name="attempt_cancel_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.job_input} attempt {self.number}"

    @property
    def is_latest(self) -> bool:
        return self.number == self.job_input.attempt_count

    def renew(self, at: datetime) -> None:
        """Renew the lease after a contact."""
        until = at + timedelta(seconds=settings.LEASE_SECONDS)
        Attempt.objects.filter(pk=self.pk, ended_at=None).update(last_contact_at=at, lease_until=until)

    def finish(
        self,
        event: Event,
        outcome: Outcome,
        *,
        actor: str,
        code: str = "",
        message: str = "",
        attempt_code: str = "",
        tell_worker: bool = False,
        **changes: Any,
    ) -> bool:
        """Move the input and close the attempt, both or neither; False if the input can no longer make that move.

        `changes` are other columns of the input. `attempt_code`: the code of the attempt, if the event has none.
        """
        with transaction.atomic():
            moved = self.job_input.move_to(
                event, actor=actor, code=code, message=message, attempt=self.number, **changes
            )
            if moved:
                self.end(outcome, code=attempt_code or code, message=message, tell_worker=tell_worker)
        return moved

    def end(self, outcome: Outcome, *, code: str = "", message: str = "", tell_worker: bool = False) -> None:
        """Close the attempt; `tell_worker` schedules stopping it on the worker. Push jobs are always deleted there."""
        is_there = self.is_push and bool(self.worker_job_id)
        self.ended_at, self.outcome = clock.now(), outcome
        self.error_code, self.error_message, self.cancel_pending = code, message, tell_worker or is_there
        self.save(update_fields=["ended_at", "outcome", "error_code", "error_message", "cancel_pending"])


class StagedOutput(models.Model):
    """An output that arrived, not yet part of a result. `path` is relative to RESULTS_DIR."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="staged")
    output_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    path = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "output_type", "sha256"], name="output_staged_once")
        ]

    def __str__(self) -> str:
        return f"{self.output_type} of {self.attempt}"

    @property
    def absolute_path(self) -> Path:
        return Path(settings.RESULTS_DIR) / self.path


class Tick(models.Model):
    """When a periodic task last ran; checked by /healthz."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
    uptime = models.FloatField(null=True, help_text=_("uptime of the machine that ran it, in seconds"))
    boot_id = models.CharField(max_length=64, blank=True)
    held_until = models.DateTimeField(null=True, help_text=_("lease of the process that is running it"))

    def __str__(self) -> str:
        return self.name


POLLING = RowLease(Worker, "polled_until", "CLAIM_SECONDS")
HANDING_OVER = RowLease(Worker, "handed_until", "CLAIM_SECONDS")
BRINGING = RowLease(Attempt, "brought_until", "CLAIM_SECONDS")
ASSIGNING = RowLease(Tick, "held_until", "CLAIM_SECONDS")
