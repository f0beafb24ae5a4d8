"""Job, JobInput, JobEvent, and the Result of a complete input."""

from __future__ import annotations

import uuid
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gpu_worker.shared.protocol import ERRORS, ErrorText, Options
from jobs.media import serving
from jobs.models.sessions import Session, Upload
from jobs.statuses import ACTIVE, ACTIVE_JOBS, ENDED, MOVES, Event, InputStatus, JobStatus, job_status


class Priority(models.IntegerChoices):
    """Priority of a job across all users."""

    LATER = -1, _("later")
    NORMAL = 0, _("normal")
    FIRST = 1, _("first")


class Job(models.Model):
    """A request to transcribe: options and N inputs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="jobs")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    number = models.PositiveIntegerField(help_text=_("starts at 1 in each session"))
    status = models.CharField(
        max_length=24, choices=JobStatus.choices, default=JobStatus.QUEUED, editable=False, db_index=True
    )
    model = models.CharField(_("model"), max_length=200)
    language = models.CharField(_("language"), max_length=20, blank=True, help_text=_("empty: auto-detect"))
    use_remote = models.BooleanField(_("run on GPU"), default=False)
    priority = models.SmallIntegerField(
        _("priority"),
        choices=Priority.choices,
        default=Priority.NORMAL,
        help_text=_("higher priorities run first"),
    )
    options = models.JSONField(default=dict, help_text=_("the remaining protocol options"))
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    told_at = models.DateTimeField(
        null=True, editable=False, help_text=_("when its end was recorded; cleared when it runs again")
    )

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["ended_at"],
                name="job_ended_untold",
                condition=models.Q(ended_at__isnull=False, told_at=None),
            ),
            models.Index(
                fields=["session"], condition=models.Q(deleted_at__isnull=False), name="job_deleted"
            ),
            models.Index(fields=["created_at", "id"], name="job_by_age"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="job_number_unique_in_session")
        ]

    def __str__(self) -> str:
        return f"{self.session.name} #{self.number}"

    @classmethod
    def lock(cls, pk: uuid.UUID) -> Job:
        """Return the job with its row locked until the transaction ends.

        All code that changes an input or an attempt takes this lock first; the fixed order prevents deadlocks.
        """
        return cls.objects.select_for_update().get(pk=pk)

    @staticmethod
    def lock_all(jobs: models.QuerySet[Job]) -> None:
        """Lock these rows like `lock`, one after another, for changes to several jobs."""
        list(jobs.order_by("pk").select_for_update().values_list("pk", flat=True))

    def worker_options(self) -> Options:
        """Return the options in the format of the protocol."""
        known = {f.name for f in fields(Options)}
        extra = {key: value for key, value in self.options.items() if key in known}
        return Options(**{**extra, "model": self.model, "language": self.language})

    def refresh_status(self) -> None:
        """Derive the status from the inputs and store it. Requires the lock of the job's row."""
        status = job_status(self.inputs.order_by().values_list("status", flat=True).distinct())
        ended = status not in ACTIVE_JOBS
        Job.objects.filter(pk=self.pk).update(
            status=status, ended_at=timezone.now() if ended else None, told_at=None
        )


class JobInput(models.Model):
    """One file of a job, with its own status, so that one bad file never fails the others."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(Job, models.CASCADE, related_name="inputs")
    upload = models.ForeignKey(Upload, models.PROTECT, related_name="inputs")
    position = models.PositiveIntegerField()
    status = models.CharField(
        max_length=12, choices=InputStatus.choices, default=InputStatus.QUEUED, editable=False
    )
    queued_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(
        null=True, help_text=_("not dispatched before this time; empty: dispatch immediately")
    )
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveIntegerField(default=0, help_text=_("number of the latest attempt"))
    tries = models.PositiveIntegerField(default=0, help_text=_("attempts accepted by a worker"))
    tries_from = models.PositiveIntegerField(
        default=0, help_text=_("number of the latest attempt when a user last queued the file")
    )
    worker_name = models.CharField(max_length=200, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    percent = models.FloatField(default=0.0)
    audio_seconds = models.FloatField(null=True, blank=True)
    audio_duration = models.FloatField(null=True, blank=True)
    speed = models.FloatField(null=True, blank=True)
    eta_seconds = models.FloatField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    remote_last_error = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        indexes = [
            models.Index(fields=["status", "not_before", "queued_at"], name="input_queue"),
            models.Index(fields=["job", "position"], name="input_of_job"),
            models.Index(fields=["queued_at", "id"], name="input_by_age"),
        ]

    def __str__(self) -> str:
        return self.upload.name

    @property
    def error_text(self) -> ErrorText | None:
        """Return the sentence and hint of its failure, None if it did not fail."""
        return ERRORS.get(self.error_code, ERRORS["PROCESSING_ERROR"]) if self.error_code else None

    @property
    def expected_seconds(self) -> float:
        """Return its audio duration, estimated from its size until a worker has read it."""
        upload = self.upload
        return self.audio_duration or serving.usual_seconds(upload.name, upload.size_bytes)

    @property
    def can_cancel(self) -> bool:
        return self.status in ACTIVE

    @property
    def can_retry(self) -> bool:
        return self.status in MOVES[Event.RETRIED].sources

    def move_to(
        self,
        event: Event,
        *,
        actor: str,
        code: str = "",
        message: str = "",
        attempt: int | None = None,
        **changes: Any,
    ) -> bool:
        """Change the status according to `event`; return False if the table does not allow it now.

        The only writer of `status`. One conditional UPDATE under the job's lock: of two concurrent changes,
        exactly one succeeds. Also writes the JobEvent and the job's derived status.
        `attempt` is a fencing token: the change requires that it is the latest attempt. `changes` are other
        columns of the row to set in the same UPDATE. The event keeps `code` and `message`; the row has them
        while it is failed.
        """
        move, now = MOVES[event], timezone.now()
        with transaction.atomic():
            job = Job.lock(self.job_id)
            rows = JobInput.objects.filter(pk=self.pk, status__in=move.sources)
            if move.codes:
                rows = rows.filter(error_code__in=move.codes)
            if attempt is not None:
                rows = rows.filter(attempt_count=attempt)
            source = rows.values_list("status", flat=True).first()
            ended_at = now if move.target in ENDED else None
            is_failed = move.target == InputStatus.FAILED
            error = {"error_code": code if is_failed else "", "error_message": message if is_failed else ""}
            if source is None or not rows.update(status=move.target, ended_at=ended_at, **error, **changes):
                return False
            JobEvent.objects.create(
                job=job, job_input=self, actor=actor, event=event, source=source, target=move.target,
                code=code, message=message, at=now,
            )  # fmt: skip
            job.refresh_status()
            Session.note_change(pk=job.session_id, touched_at=now)
        self.refresh_from_db()
        return True


class JobEvent(models.Model):
    """One status change of one input: who, when, from, to, why. Append-only."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    job_input = models.ForeignKey(JobInput, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200, help_text=_("a user, a worker, or the controller"))
    event = models.CharField(max_length=24, choices=Event.choices)
    source = models.CharField(max_length=12, choices=InputStatus.choices)
    target = models.CharField(max_length=12, choices=InputStatus.choices)
    code = models.CharField(max_length=40, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]  # as the moves were made; `at` may be set by a clock that went back

    def __str__(self) -> str:
        return f"{self.source} → {self.target} ({self.event})"


class Result(models.Model):
    """The result of an input, at most one because of its key. Its files never change."""

    job_input = models.OneToOneField(JobInput, models.CASCADE, related_name="result")
    attempt_number = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.job_input} (attempt {self.attempt_number})"


class ResultFile(models.Model):
    """One output of the worker; `path` is relative to RESULTS_DIR."""

    result = models.ForeignKey(Result, models.CASCADE, related_name="files")
    output_type = models.CharField(max_length=40)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["result", "output_type"], name="one_file_of_a_type_in_a_result")
        ]

    def __str__(self) -> str:
        return self.output_type

    @property
    def absolute_path(self) -> Path:
        return Path(settings.RESULTS_DIR) / self.path


class JobPreset(models.Model):
    """A preset of job options; `options` are fields of the job form."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="job_presets")
    name = models.CharField(_("name"), max_length=80)
    options = models.JSONField(default=dict)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="preset_name_unique")]

    def __str__(self) -> str:
        return self.name
