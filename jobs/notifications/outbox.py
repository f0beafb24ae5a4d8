"""The end of a job is noticed exactly once: what is to be sent is written down in the transaction that notes it."""

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
    """Notice every end that nobody has noticed yet; return how many notices are to be sent."""
    unnoticed = Job.objects.filter(ended_at__isnull=False, told_at=None).order_by("ended_at")
    return sum(notice(pk) for pk in unnoticed.values_list("pk", flat=True)[:AT_A_TIME])


def notice(pk: UUID) -> int:
    """Notice the end of one job, if that is still to be done; return how many notices are to be sent.

    Either all of it is in the database or nothing: whoever is killed half way leaves it to the next tick.
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
    """Whether its owner does not know: who canceled it does, who has no account any more need not."""
    if not job.session.owner.is_active:
        return False
    if job.status != JobStatus.CANCELED and job.cancel_requested_at is None:
        return True
    canceled = job.events.filter(event=Event.CANCELED, job_input__status=InputStatus.CANCELED)
    return not canceled.filter(actor=str(job.session.owner)).exists()


def deliveries(job: Job) -> list[Delivery]:
    """Return, not saved, what is to be sent of the end of a job."""
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
    """Whether this person is written to about a job that ended so."""
    choice = MailChoice.objects.filter(owner=owner).first()
    if not (settings.EMAIL_URL and owner.email and choice):
        return False
    is_failure = message["counts"]["failed"] > 0
    return choice.when == MailChoice.When.ALWAYS or (choice.when == MailChoice.When.FAILED and is_failure)
