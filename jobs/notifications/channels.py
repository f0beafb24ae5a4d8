"""One try at one delivery: a signed POST or a letter. Touches no row, so that several can go out at once."""

import hashlib
import hmac
import json
import logging
import time
from dataclasses import dataclass
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from gpu_worker.shared.protocol import CONTROLLER_AGENT
from jobs.models import Delivery, Webhook
from jobs.notifications import messages
from jobs.notifications.webhook_addresses import AddressRefused
from jobs.notifications.webhook_post import NotPosted, post

log = logging.getLogger(__name__)
SHOWN = 500  # characters of an answer


@dataclass(frozen=True)
class Outcome:
    """What became of a try; `status` is HTTP's, where there was an answer."""

    is_delivered: bool
    status: int | None = None
    text: str = ""
    problem: str = ""
    took_ms: float = 0.0


def send(delivery: Delivery) -> Outcome:
    """Try it once and return what became of it; raises nothing: one delivery never keeps others from going out."""
    begun = time.monotonic()
    try:
        outcome = _posted(delivery, delivery.webhook) if delivery.webhook else _mailed(delivery)
    except Exception as failure:
        log.exception("notice not sent", extra={"notice": str(delivery.pk)})
        outcome = Outcome(False, problem=type(failure).__name__)
    return Outcome(
        outcome.is_delivered,
        outcome.status,
        _printable(outcome.text[:SHOWN]),
        _printable(outcome.problem[:200]),
        round((time.monotonic() - begun) * 1000, 1),
    )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature's header: HMAC-SHA256 of the timestamp, a full stop and the body as it is sent."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _posted(delivery: Delivery, hook: Webhook) -> Outcome:
    secret = hook.secret
    if not secret:
        return Outcome(False, problem=_("The signing secret cannot be decrypted. Create a new one."))
    body = json.dumps({"id": str(delivery.pk), **delivery.message}, ensure_ascii=False).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": CONTROLLER_AGENT,
        "X-Bulk-Transcribe-Event": delivery.event,
        "X-Bulk-Transcribe-Delivery": str(delivery.pk),
        "X-Bulk-Transcribe-Timestamp": timestamp,
        "X-Bulk-Transcribe-Signature": signature(secret, timestamp, body),
    }
    try:
        answer = post(hook.url, body, headers, settings.NOTICE_TIMEOUT_SECONDS)
    except (AddressRefused, NotPosted) as failure:
        return Outcome(False, problem=str(failure))
    is_delivered = 200 <= answer.status < 300
    problem = "" if is_delivered else _problem_of(answer.status)
    return Outcome(is_delivered, answer.status, answer.text, problem)


def _problem_of(status: int) -> str:
    if status == 410:
        return _("The receiver returned 410 Gone, so the webhook was disabled.")
    if 300 <= status < 400:
        return _(
            "The receiver redirected (HTTP %(status)d). Redirects are not followed; use the final URL."
        ) % {"status": status}
    return _("The receiver returned HTTP %(status)d.") % {"status": status}


def _mailed(delivery: Delivery) -> Outcome:
    if not (settings.EMAIL_URL and delivery.owner.email):
        return Outcome(
            False, problem=_("No email address is set, or email is not set up on this installation.")
        )
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    letter = EmailMessage(
        messages.subject(delivery.message),
        messages.letter(delivery.message),
        to=[delivery.owner.email],
        headers={"Message-ID": f"<{delivery.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    try:
        letter.send()
    except (OSError, SMTPException, ValueError) as failure:
        return Outcome(False, problem=_mail_problem(failure))
    return Outcome(True)


def _mail_problem(failure: Exception) -> str:
    if isinstance(failure, SMTPRecipientsRefused):
        return _refusal(*next(iter(failure.recipients.values())))
    if isinstance(failure, SMTPResponseException):
        return _refusal(failure.smtp_code, failure.smtp_error)
    return _("The mail server could not be reached (%(kind)s).") % {"kind": type(failure).__name__}


def _refusal(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return _("The mail server rejected the email: %(code)s %(text)s") % {"code": code, "text": text}


def _printable(text: str) -> str:
    """What others say, for pages and the database, which takes not every character."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
