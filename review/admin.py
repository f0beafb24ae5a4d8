"""Transcripts in Django's admin, read-only."""

from django.contrib import admin

from jobs.admin import ReadOnlyAdmin
from review.models import Transcript


@admin.register(Transcript)
class TranscriptAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__",
        "review_status",
        "reviewer",
        "doubtful",
        "language",
        "model",
        "duration",
        "created_at",
    )
    list_filter = ("review_status", "language", "model", "created_at")
    search_fields = ("job_input__upload__name", "job_input__job__session__name")
    id_fields = ("job_input_id", "job_input__job_id", "job_input__job__session_id")
    list_select_related = ("job_input__upload",)
