"""The job desk in Django's admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from jobs import batches
from jobs.models import Job, JobEvent, JobInput, Priority, Result, Session, Upload


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    """Rows that only the program writes."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class JobInputInline(ReadOnlyInline):
    model = JobInput
    fields = ("upload", "status", "stage", "percent", "attempt_count", "worker_name", "error_code")


class JobEventInline(ReadOnlyInline):
    model = JobEvent
    fields = ("at", "actor", "event", "source", "target", "code", "message")


class LookOnlyAdmin(admin.ModelAdmin[Any]):
    """Seen and acted upon here; written by the program only."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a row deleted here would leave its bytes on the disk, or a file running for ever

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether the actions are this person's: who may only look, only looks."""
        user = request.user
        return user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin[Session]):
    list_display = ("name", "owner", "created_at", "touched_at")
    list_filter = ("created_at",)
    search_fields = ("name", "owner__username", "id")
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the recordings would stay on the disk


@admin.register(Upload)
class UploadAdmin(LookOnlyAdmin):
    list_display = ("name", "session", "size_bytes", "created_at")
    list_filter = ("created_at",)
    search_fields = ("name", "session__name", "sha256", "id")
    list_select_related = ("session",)


@admin.register(Job)
class JobAdmin(LookOnlyAdmin):
    list_display = (
        "__str__",
        "status",
        "priority",
        "model",
        "language",
        "use_remote",
        "created_at",
        "ended_at",
    )
    list_filter = ("status", "priority", "model", "use_remote", "created_at")
    search_fields = ("id", "session__name", "inputs__upload__name")
    list_select_related = ("session",)
    inlines = (JobInputInline,)
    actions = ("retry", "cancel", "go_first", "go_in_turn", "go_later")

    @admin.action(permissions=["act"], description=_("Retry the failed files"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(batches.retry_job(job, str(request.user)) for job in queryset)
        say(self, request, ngettext("%d file queued again.", "%d files queued again.", count) % count)

    @admin.action(permissions=["act"], description=_("Cancel"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(batches.cancel_job(job, str(request.user)) for job in queryset)
        say(self, request, ngettext("%d file canceled.", "%d files canceled.", count) % count)

    @admin.action(permissions=["act"], description=_("Priority: before all others"))
    def go_first(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.FIRST)

    @admin.action(permissions=["act"], description=_("Priority: in turn"))
    def go_in_turn(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.NORMAL)

    @admin.action(permissions=["act"], description=_("Priority: after all others"))
    def go_later(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.LATER)

    def _put(self, request: HttpRequest, queryset: QuerySet[Job], priority: Priority) -> None:
        count = queryset.update(priority=priority)
        say(self, request, ngettext("%d job reordered.", "%d jobs reordered.", count) % count)


@admin.register(JobInput)
class JobInputAdmin(LookOnlyAdmin):
    list_display = (
        "upload", "job", "status", "stage", "percent", "attempt_count", "worker_name", "error_code", "queued_at"
    )  # fmt: skip
    list_filter = ("status", "error_code", "worker_name", "queued_at")
    search_fields = ("id", "upload__name", "job__id", "job__session__name")
    list_select_related = ("upload", "job__session")
    inlines = (JobEventInline,)
    actions = ("retry", "cancel")

    @admin.action(permissions=["act"], description=_("Retry"))
    def retry(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        count = sum(batches.retry_input(entry, str(request.user)) for entry in queryset)
        say(self, request, ngettext("%d file queued again.", "%d files queued again.", count) % count)

    @admin.action(permissions=["act"], description=_("Cancel"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        count = sum(batches.cancel_input(entry, str(request.user)) for entry in queryset)
        say(self, request, ngettext("%d file canceled.", "%d files canceled.", count) % count)


@admin.register(Result)
class ResultAdmin(LookOnlyAdmin):
    list_display = ("job_input", "attempt_number", "created_at")
    search_fields = ("job_input__id", "job_input__upload__name")
    list_select_related = ("job_input__upload",)


def say(model_admin: admin.ModelAdmin[Any], request: HttpRequest, text: str) -> None:
    """Show the outcome of an action above the list."""
    model_admin.message_user(request, text, messages.SUCCESS)
