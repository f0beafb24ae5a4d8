"""Workers and attempts in Django's admin. No token is ever shown."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from jobs import batches
from jobs.admin import ErrorCodeFilter, JobInputAdmin, ReadOnlyAdmin, ReadOnlyInline
from jobs.models import JobInput
from jobs.ports import partial_results
from remoteworker import tasks
from remoteworker.attempts import dispatch
from remoteworker.models import Attempt, Worker
from remoteworker.workers import dashboard, registry
from remoteworker.workers.client import WorkerError

MOVED_BY_PERSON = "Moved to another worker by an administrator."


class WorkerForm(forms.ModelForm[Worker]):
    new_token = forms.CharField(
        validators=[
            RegexValidator(
                r"^[!-~]*$", _("A token may contain only printable ASCII characters without spaces.")
            )
        ],
        label=_("Token"),
        required=False,
        strip=True,
        widget=forms.PasswordInput,
        help_text=_("The worker's WORKER_TOKEN. Leave empty to keep the current one."),
    )

    class Meta:
        model = Worker
        fields = ("name", "kind", "url", "enabled", "drain", "capacity", "price_per_hour")

    def save(self, commit: bool = True) -> Worker:
        if self.cleaned_data["new_token"]:
            self.instance.token = self.cleaned_data["new_token"]
        return super().save(commit)


@admin.register(Worker)
class WorkerAdmin(admin.ModelAdmin[Worker]):
    form = WorkerForm
    list_display = (
        "name",
        "kind",
        "enabled",
        "drain",
        "is_connected",
        "latency_ms",
        "last_ping_at",
        "trouble",
    )
    list_filter = ("kind", "enabled", "drain", "is_connected")
    search_fields = ("name", "url")
    readonly_fields = (
        "from_settings", "is_connected", "failures", "checked_at", "last_ping_at", "latency_ms", "capabilities",
        "last_error",
    )  # fmt: skip
    actions = ("test_connection", "ask_now", "enable", "disable", "start_drain", "end_drain", "move_files")

    @admin.display(description=_("last error"))
    def trouble(self, worker: Worker) -> str:
        return str((worker.last_error or {}).get("message", ""))

    @admin.action(permissions=["change"], description=_("Test connection"))
    def test_connection(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        for worker in queryset:
            self.message_user(request, *_verdict(worker))

    @admin.action(permissions=["change"], description=_("Enable"))
    def enable(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        queryset.update(enabled=True)

    @admin.action(permissions=["change"], description=_("Disable (no new files, no polling)"))
    def disable(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        queryset.update(enabled=False, is_connected=False)

    @admin.action(permissions=["change"], description=_("Drain (finish running files, accept no new ones)"))
    def start_drain(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        queryset.update(drain=True)

    @admin.action(permissions=["change"], description=_("Stop draining"))
    def end_drain(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        queryset.update(drain=False)

    @admin.action(permissions=["change"], description=_("Poll now"))
    def ask_now(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        for worker in queryset:
            tasks.nudge(tasks.poll_worker, worker.pk)
        self.message_user(request, _("Polled: %d") % queryset.count(), messages.SUCCESS)

    @admin.action(permissions=["change"], description=_("Move files to other workers"))
    def move_files(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        held = Attempt.objects.filter(worker__in=queryset)
        count = dispatch.move_all(held, str(request.user), MOVED_BY_PERSON)
        self.message_user(request, _("Moved: %d") % count, messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        live = path("live/", self.admin_site.admin_view(self.live), name="remoteworker_worker_live")
        return [live, *super().get_urls()]

    def live(self, request: HttpRequest) -> HttpResponse:
        """Show all workers on one page that updates itself."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Live workers"),
            "workers": dashboard.workers(),
            "queued": dashboard.queued(),
        }
        return TemplateResponse(request, "remoteworker/live.html", context)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    list_display = (
        "job_input", "number", "worker", "outcome", "error_code", "created_at", "last_contact_at", "lease_until",
        "ended_at",
    )  # fmt: skip
    list_filter = ("outcome", "worker", ErrorCodeFilter, "created_at")
    search_fields = ("worker_job_id", "job_input__upload__name")
    id_fields = ("id", "job_input_id", "job_input__job_id")
    list_select_related = ("job_input__upload", "worker")
    actions = ("retry", "cancel", "move")

    @admin.action(permissions=["act"], description=_("Retry files"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> None:
        count = sum(batches.retry_input(row.job_input, str(request.user)) for row in queryset)
        self.message_user(request, _("Requeued: %d") % count, messages.SUCCESS)

    @admin.action(permissions=["act"], description=_("Cancel files"))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> None:
        count = sum(batches.cancel_input(row.job_input, str(request.user)) for row in queryset)
        self.message_user(request, _("Canceled: %d") % count, messages.SUCCESS)

    @admin.action(permissions=["act"], description=_("Move files to other workers"))
    def move(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> None:
        count = dispatch.move_all(queryset, str(request.user), MOVED_BY_PERSON)
        self.message_user(request, _("Moved: %d") % count, messages.SUCCESS)


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = (
        "number", "worker", "outcome", "error_code", "error_message", "created_at", "last_contact_at", "ended_at"
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("worker", "job_input__upload")


class WorkerFilter(admin.SimpleListFilter):
    """Filter files by their current or last worker."""

    title = _("worker")
    parameter_name = "worker"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Worker.objects.values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(worker_name=self.value()) if self.value() else queryset


admin.site.unregister(JobInput)


@admin.register(JobInput)
class JobInputAndWorkersAdmin(JobInputAdmin):
    """Extends the admin of files with information about their workers."""

    list_filter: ClassVar[tuple[Any, ...]] = (*JobInputAdmin.list_filter, WorkerFilter)
    inlines: ClassVar[tuple[Any, ...]] = (*JobInputAdmin.inlines, AttemptInline)
    actions: Any = (*JobInputAdmin.actions, "move", "ask_now")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "partial_result")

    @admin.display(description=_("partial result"))
    def partial_result(self, entry: Any) -> str:
        """Link to partial results, for the user's own files only."""
        found = partial_results.of(entry)
        if not entry.is_mine:
            return ", ".join(part.label for part in found)
        links = [(reverse("input-partial", args=[entry.pk, part.kind]), part.label) for part in found]
        return format_html_join(", ", '<a href="{}">{}</a>', links)

    @admin.action(permissions=["act"], description=_("Move to another worker"))
    def move(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        held = Attempt.objects.filter(job_input__in=queryset.values("pk"))
        count = dispatch.move_all(held, str(request.user), MOVED_BY_PERSON)
        self.message_user(request, _("Moved: %d") % count, messages.SUCCESS)

    @admin.action(permissions=["act"], description=_("Poll their workers now"))
    def ask_now(self, request: HttpRequest, queryset: QuerySet[JobInput]) -> None:
        held = Attempt.objects.filter(job_input__in=queryset.values("pk"), ended_at=None)
        workers = set(held.values_list("worker", flat=True))
        for pk in workers:
            tasks.nudge(tasks.poll_worker, pk)
        self.message_user(request, _("Polled: %d") % len(workers), messages.SUCCESS)


def _verdict(worker: Worker) -> tuple[str, int]:
    """Run the worker's preflight; return the message and its level."""
    try:
        with registry.client_of(worker) as client:
            answer: dict[str, Any] = client.preflight()
    except WorkerError as failure:
        return f"{worker.name}: {failure}", messages.ERROR
    if answer.get("status") == "ok":
        return str(_("%s: all checks passed.") % worker.name), messages.SUCCESS
    return f"{worker.name}: " + " · ".join(
        str(text) for text in (answer.get("errors") or {}).values()
    ), messages.ERROR
