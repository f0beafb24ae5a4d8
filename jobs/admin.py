"""Job administration in Django's admin."""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import BooleanField, Count, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gpu_worker.shared.protocol import ERRORS
from jobs import batches
from jobs.models import (
    ApiToken,
    Delivery,
    Job,
    JobEvent,
    JobInput,
    Priority,
    Result,
    Session,
    Sound,
    Upload,
    Webhook,
)
from jobs.statuses import InputStatus

INLINE = 100  # files of a job on its own page; those of larger ones are listed on theirs


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("upload", "job__session")


class JobEventInline(ReadOnlyInline):
    model = JobEvent
    fields = ("at", "actor", "event", "source", "target", "code", "message")


class SoundInline(ReadOnlyInline):
    model = Sound
    fields = ("seconds", "codec", "channels", "rate", "problem", "looked_at")


class ErrorCodeFilter(admin.SimpleListFilter):
    """Filter by failure code. The choices come from the table of codes, without scanning the rows."""

    title = _("failure")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in sorted(ERRORS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(error_code=self.value()) if self.value() else queryset


class StaffAdmin(admin.ModelAdmin[Any]):
    """Base of all lists: fast with a hundred thousand rows."""

    show_full_result_count = False
    list_per_page = 50
    id_fields: tuple[str, ...] = ("id",)  # what an id in the search box may be of

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find ids through the index; search names only if the term is not an id."""
        try:
            wanted = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        either = Q()
        for field in self.id_fields:
            either |= Q(**{field: wanted})
        return queryset.filter(either), False


class ReadOnlyAdmin(StaffAdmin):
    """Viewing and actions only; the program writes the rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a row deleted here would leave its bytes on the disk, or a file running for ever

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may run actions; users with view permission only may not."""
        user = request.user
        return user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")


@admin.register(Session)
class SessionAdmin(StaffAdmin):
    list_display = ("name", "owner", "created_at", "touched_at", "deleted_at", "all_files")
    list_filter = ("created_at", "touched_at")
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    list_select_related = ("owner",)
    readonly_fields = ("created_at", "touched_at", "served_at", "retention_days", "deleted_at", "all_files")
    fields = ("name", "owner", *readonly_fields)

    @admin.display(description=_("files"))
    def all_files(self, session: Session) -> str:
        return _list_link("jobs_jobinput", _("Files"), job__session__id__exact=session.pk)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write only the changed fields, so that concurrent updates by the program are kept."""
        if not change:
            return super().save_model(request, obj, form, change)
        if form.changed_data:
            obj.save(update_fields=form.changed_data)
            Session.note_change(pk=obj.pk)
        return None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the recordings would stay on the disk


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("name", "folder", "session", "size_bytes", "is_used", "created_at", "deleted_at")
    list_filter = ("created_at", "is_used")
    search_fields = ("name", "folder", "session__name", "sha256")
    list_select_related = ("session",)
    ordering = ("-created_at",)
    inlines = (SoundInline,)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "__str__", "owner", "status", "files", "priority", "model", "language", "use_remote", "created_at",
        "ended_at",
    )  # fmt: skip
    list_filter = ("status", "priority", "model", "use_remote", "created_at", "ended_at")
    search_fields = ("session__name", "session__owner__username", "inputs__upload__name")
    id_fields = ("id", "session_id", "inputs__id")
    list_select_related = ("session__owner",)
    actions = ("retry", "cancel", "go_first", "go_in_turn", "go_later")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None or obj.inputs.count() > INLINE else (JobInputInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        own = JobInput.objects.filter(job=OuterRef("pk")).order_by().values("job").annotate(n=Count("pk"))
        rows: Any = super().get_queryset(request)
        return cast(QuerySet[Any], rows.annotate(file_count=Subquery(own.values("n"))))

    @admin.display(description=_("owner"), ordering="session__owner__username")
    def owner(self, job: Job) -> str:
        return str(job.session.owner)

    @admin.display(description=_("files"))
    def files(self, job: Any) -> str:
        return _list_link("jobs_jobinput", job.file_count, job__id__exact=job.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("files",)

    @admin.action(permissions=["act"], description=_("Retry failed files"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(batches.retry_job(job, str(request.user)) for job in queryset)
        say(self, request, ngettext("%d file requeued.", "%d files requeued.", count) % count)

    @admin.action(permissions=["act"], description=_("Cancel"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        count = sum(batches.cancel_job(job, str(request.user)) for job in queryset)
        say(self, request, ngettext("%d file canceled.", "%d files canceled.", count) % count)

    @admin.action(permissions=["act"], description=_("Priority: high (before all others)"))
    def go_first(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.FIRST)

    @admin.action(permissions=["act"], description=_("Priority: normal"))
    def go_in_turn(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.NORMAL)

    @admin.action(permissions=["act"], description=_("Priority: low (after all others)"))
    def go_later(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._put(request, queryset, Priority.LATER)

    def _put(self, request: HttpRequest, queryset: QuerySet[Job], priority: Priority) -> None:
        count = Job.objects.filter(pk__in=queryset.values("pk")).update(priority=priority)
        say(
            self,
            request,
            ngettext("Priority of %d job changed.", "Priority of %d jobs changed.", count) % count,
        )


@admin.register(JobInput)
class JobInputAdmin(ReadOnlyAdmin):
    """`remoteworker` adds attempts, the worker filter, and the actions that need a worker."""

    list_display = (
        "upload", "job_link", "status", "stage", "percent", "attempt_count", "worker_name", "error_code",
        "queued_at", "review_link",
    )  # fmt: skip
    list_filter: ClassVar[tuple[Any, ...]] = ("status", ErrorCodeFilter, "queued_at", "ended_at")
    search_fields = ("upload__name", "job__session__name")
    id_fields = ("id", "job_id", "upload_id", "job__session_id")
    list_select_related = ("upload", "job__session")
    ordering = ("-queued_at",)
    inlines: ClassVar[tuple[Any, ...]] = (JobEventInline,)
    actions: Any = ("retry", "cancel")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Q(job__session__owner=request.user.pk, job__session__deleted_at=None, job__deleted_at=None)
        is_mine = ExpressionWrapper(mine, output_field=BooleanField())
        rows: Any = super().get_queryset(request)
        return cast(QuerySet[Any], rows.annotate(is_mine=is_mine))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("job_link", "review_link")

    @admin.display(description=_("job"), ordering="job__number")
    def job_link(self, entry: JobInput) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:jobs_job_change", args=[entry.job_id]), entry.job
        )

    @admin.display(description=_("transcript"))
    def review_link(self, entry: Any) -> str:
        """Link to transcripts of the user's own files only: admin does not reveal other people's recordings."""
        if entry.status != InputStatus.COMPLETE or not entry.is_mine:
            return ""
        return format_html('<a href="{}">{}</a>', reverse("transcript", args=[entry.pk]), _("Review"))

    @admin.action(permissions=["act"], description=_("Retry"))
    def retry(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        count = sum(batches.retry_input(entry, str(request.user)) for entry in queryset)
        say(self, request, ngettext("%d file requeued.", "%d files requeued.", count) % count)

    @admin.action(permissions=["act"], description=_("Cancel"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        count = sum(batches.cancel_input(entry, str(request.user)) for entry in queryset)
        say(self, request, ngettext("%d file canceled.", "%d files canceled.", count) % count)


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = ("job_input", "attempt_number", "created_at")
    search_fields = ("job_input__upload__name",)
    id_fields = ("job_input_id", "job_input__job_id")
    list_select_related = ("job_input__upload",)


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = fields = ("place", "owner", "session", "is_enabled", "is_gone", "created_at")
    list_filter = ("is_enabled", "created_at")
    search_fields = ("id", "owner__username")
    list_select_related = ("owner", "session")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "owner", "webhook", "event", "job", "status", "tries", "answer_status", "due_at"
    )  # fmt: skip
    fields = (*list_display, "problem", "took_ms", "tried_at", "job_ended_at")
    list_filter = ("status", "event", "created_at")
    search_fields = ("id", "owner__username", "job__id")
    list_select_related = ("owner", "webhook", "job__session")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Deleting a token revokes it."""

    list_display = ("name", "owner", "hint", "session", "last_used_at", "expires_at")
    list_select_related = ("owner", "session")
    search_fields = ("name", "owner__username", "hint")

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


def say(model_admin: admin.ModelAdmin[Any], request: HttpRequest, text: str) -> None:
    """Show the outcome of an action above the list."""
    model_admin.message_user(request, text, messages.SUCCESS)


def _list_link(model: str, text: object, **which: object) -> str:
    """A link to the list of a model, filtered."""
    query = "&".join(f"{key}={value}" for key, value in which.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{model}_changelist"), query, text)
