"""Records each end of a job exactly once, together with its deliveries in the same transaction."""

import logging
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs import clock
from jobs.models import Delivery, Job, MailChoice, NoticeEvent, Webhook
from jobs.notifications import messages
from jobs.notifications.messages import Message
from jobs.statuses import Event, InputStatus, JobStatus

log = logging.getLogger(__name__)
AT_A_TIME = 200  # jobs


def notice_all() -> int:
    """Record all new job ends; return the number of deliveries."""
    unnoticed = Job.objects.filter(ended_at__isnull=False, told_at=None).order_by("ended_at")
    return sum(notice(pk) for pk in unnoticed.values_list("pk", flat=True)[:AT_A_TIME])


def notice(pk: UUID) -> int:
    """Record the end of one job if that has not happened yet; return the number of deliveries.

    All or nothing: if the process is killed, the next tick repeats it.
    """
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(of=("self",)).select_related("session__owner").filter(pk=pk).first()
        )
        if job is None or job.ended_at is None or job.told_at is not None:
            return 0
        made = Delivery.objects.bulk_create(deliveries(job) if is_news(job) else [])
        Job.objects.filter(pk=pk).update(told_at=timezone.now())
    if made:
        log.info("job end noticed", extra={"job": str(pk), "notices": len(made)})
    return len(made)


def is_news(job: Job) -> bool:
    """Return whether the owner should be notified: not if they canceled it themselves or have no account anymore."""
    if not job.session.owner.is_active:
        return False
    if job.status != JobStatus.CANCELED and job.cancel_requested_at is None:
        return True
    canceled = job.events.filter(event=Event.CANCELED, job_input__status=InputStatus.CANCELED)
    return not canceled.filter(actor=str(job.session.owner)).exists()


def deliveries(job: Job) -> list[Delivery]:
    """Return the unsaved deliveries for the end of a job."""
    owner, message, now = job.session.owner, messages.of_job(job), clock.now()
    hooks = Webhook.objects.filter(owner=owner, is_enabled=True)
    receivers: list[Webhook | None] = [hook for hook in hooks if hook.session_id in (None, job.session_id)]
    if wants_mail(owner, message):
        receivers.append(None)
    return [
        Delivery(
            owner=owner,
            webhook=hook,
            job=job,
            job_ended_at=job.ended_at,
            event=NoticeEvent.JOB_ENDED,
            message=message,
            due_at=now,
        )
        for hook in receivers
    ]


def wants_mail(owner: User, message: Message) -> bool:
    """Return whether the user receives email about a job with this outcome."""
    choice = MailChoice.objects.filter(owner=owner).first()
    if not (settings.EMAIL_URL and owner.email and choice):
        return False
    is_failure = message["counts"]["failed"] > 0
    return choice.when == MailChoice.When.ALWAYS or (choice.when == MailChoice.When.FAILED and is_failure)
