"""One attempt at one delivery: a signed POST or an email. Uses no rows, so that several can run in parallel."""

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
    """The outcome of an attempt; `status` is the HTTP status, if there was a response."""

    is_delivered: bool
    status: int | None = None
    text: str = ""
    problem: str = ""
    took_ms: float = 0.0


def send(delivery: Delivery) -> Outcome:
    """Attempt the delivery once and return the outcome. Raises nothing, so that one delivery never blocks others."""
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
    """Return the signature header: HMAC-SHA256 of the timestamp, a period, and the raw body."""
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
    """Sanitize external text for pages and the database."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
