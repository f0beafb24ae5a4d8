"""Content of notifications: the JSON of a webhook and the text of an email. Pure apart from reading rows."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs.models import Job, NoticeEvent
from jobs.statuses import InputStatus

Message = dict[str, Any]


def of_job(job: Job) -> Message:
    """Return the message about a finished job."""
    session, status = job.session, list(job.inputs.order_by().values_list("status", flat=True))
    return {
        "event": NoticeEvent.JOB_ENDED.value,
        "createdAt": timezone.now().isoformat(timespec="seconds"),
        "session": {"id": str(session.pk), "name": session.name},
        "job": {
            "id": str(job.pk),
            "number": job.number,
            "status": job.status,
            "model": job.model,
            "language": job.language,
            "createdAt": job.created_at.isoformat(timespec="seconds"),
            "endedAt": job.ended_at.isoformat(timespec="seconds") if job.ended_at else None,
        },
        "counts": {
            "files": len(status),
            "complete": status.count(InputStatus.COMPLETE),
            "failed": status.count(InputStatus.FAILED),
            "canceled": status.count(InputStatus.CANCELED),
        },
        "links": {"session": _address("session", session.pk)},
    }


def of_ping() -> Message:
    """Return the message of a test."""
    return {"event": NoticeEvent.PING.value, "createdAt": timezone.now().isoformat(timespec="seconds")}


def outcome(message: Message) -> str:
    """Return one sentence about how the job ended."""
    counts = message["counts"]
    if counts["complete"] == counts["files"]:
        files = ngettext("%(files)d file transcribed", "All %(files)d files transcribed", counts["files"])
        return str(files % counts) + "."
    parts = [
        ngettext(
            "%(complete)d of %(files)d file transcribed",
            "%(complete)d of %(files)d files transcribed",
            counts["files"],
        )
    ]
    if counts["failed"]:
        parts.append(_("%(failed)d failed"))
    if counts["canceled"]:
        parts.append(_("%(canceled)d canceled"))
    return ", ".join(part % counts for part in parts) + "."


def subject(message: Message) -> str:
    """Return the subject of an email, on one line regardless of the session's name."""
    return " ".join(f"{message['session']['name']}: {outcome(message)}".split())


def letter(message: Message) -> str:
    """Return the text of an email: how the job ended, its link, and a link to the settings."""
    name = {"session": message["session"]["name"], "number": message["job"]["number"]}
    return "\n\n".join(
        (
            _("Job %(number)d in “%(session)s” has finished.") % name + " " + outcome(message),
            message["links"]["session"],
            _("You are receiving this email because of your notification settings. To change them:")
            + "\n"
            + _address("notifications"),
        )
    )


def _address(name: str, *args: UUID) -> str:
    return settings.CONTROLLER_BASE_URL + reverse(name, args=args)
