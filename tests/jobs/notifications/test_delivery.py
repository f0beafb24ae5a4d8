"""The end of a job is told: once for each end, to those who chose it, however often it has to be tried."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_string
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone
from environ import Env

from jobs import batches, tasks
from jobs import clock as shared
from jobs.models import Delivery, DeliveryStatus, Job, JobInput, MailChoice, NoticeEvent, Session, Webhook
from jobs.notifications import delivery
from jobs.notifications.channels import Outcome, signature
from jobs.notifications.delivery import Decision, decide
from jobs.statuses import Event
from tests.conftest import REPOSITORY
from tests.jobs.notifications.mail_server import MailServer
from tests.scripted_worker import Heard, Said, ScriptedWorker

HOOK = "POST /hook"


@pytest.fixture
def receiver(settings: Any) -> Iterator[ScriptedWorker]:
    """A receiver of webhooks at /hook; takes everything unless told otherwise."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with ScriptedWorker() as server:
        server.script[HOOK] = Said(200, {"thanks": True})
        yield server


@pytest.fixture
def hook(person: User, receiver: ScriptedWorker) -> Webhook:
    made = Webhook(owner=person, url=f"{receiver.url}/hook")
    made.renew_secret()
    made.save()
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Let time pass."""
    passed = timedelta(0)
    real = timezone.now

    def go_on(by: timedelta) -> None:
        nonlocal passed
        passed += by

    for module in (timezone, shared):
        monkeypatch.setattr(module, "now", lambda: real() + passed)
    return go_on


def end(job: Job, *events: Event) -> None:
    """End each file of the job by the event given for it."""
    for entry, event in zip(job.inputs.all(), events, strict=True):
        assert entry.move_to(Event.CLAIMED, actor="controller")
        assert entry.move_to(Event.ACCEPTED, actor="box")
        assert entry.move_to(event, actor="box", code="" if event == Event.COMPLETED else "OUT_OF_MEMORY")


def told(receiver: ScriptedWorker) -> list[Heard]:
    return [heard for heard in receiver.heard if heard.path == "/hook"]


# What is told --------------------------------------------------------------------------------------
def test_a_webhook_is_told_once_what_became_of_the_job(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job]
) -> None:
    job = job_of(files=2)
    tasks.tell_ends()
    assert not receiver.heard, "it has not ended"
    end(job, Event.COMPLETED, Event.FAILED_BY_WORKER)
    for _ in range(3):
        tasks.tell_ends()
    (heard,) = told(receiver)
    said, headers = heard.json(), heard.headers
    delivery = Delivery.objects.get()
    assert said["event"] == headers["X-Bulk-Transcribe-Event"] == "job.ended"
    assert said["id"] == headers["X-Bulk-Transcribe-Delivery"] == str(delivery.pk)
    assert said["counts"] == {"files": 2, "complete": 1, "failed": 1, "canceled": 0}
    assert (said["job"]["id"], said["job"]["status"]) == (str(job.pk), "complete_with_errors")
    assert said["session"] == {"id": str(job.session_id), "name": "Valley interviews"}
    assert said["links"]["session"].endswith(f"/sessions/{job.session_id}/")
    timestamp = headers["X-Bulk-Transcribe-Timestamp"]
    assert headers["X-Bulk-Transcribe-Signature"] == signature(hook.secret, timestamp, heard.body)
    assert (delivery.status, delivery.tries, delivery.answer_status) == ("delivered", 1, 200)
    assert json.loads(delivery.answer_text) == {"thanks": True}


def test_a_job_that_runs_and_ends_again_is_told_again(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job], person: User
) -> None:
    job = job_of()
    end(job, Event.FAILED_BY_WORKER)
    tasks.tell_ends()
    batches.retry_job(job, str(person))
    tasks.tell_ends()
    end(job, Event.COMPLETED)
    tasks.tell_ends()
    assert [heard.json()["job"]["status"] for heard in told(receiver)] == ["failed", "complete"]


def test_who_canceled_a_job_is_not_told_and_whose_job_was_canceled_is(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job], person: User
) -> None:
    mine, taken = job_of(files=2), job_of()
    first = mine.inputs.all()[0]
    assert first.move_to(Event.CLAIMED, actor="controller") and first.move_to(Event.ACCEPTED, actor="box")
    assert first.move_to(Event.COMPLETED, actor="box")
    batches.cancel_job(mine, str(person))
    batches.cancel_job(taken, "admin")
    tasks.tell_ends()
    assert [heard.json()["job"]["id"] for heard in told(receiver)] == [str(taken.pk)]


def test_who_may_not_sign_in_any_more_is_not_told(
    hook: Webhook, job_of: Callable[..., Job], person: User
) -> None:
    end(job_of(), Event.COMPLETED)
    User.objects.filter(pk=person.pk).update(is_active=False)
    tasks.tell_ends()
    assert not Delivery.objects.exists()


def test_hooks_of_other_sessions_of_other_people_and_those_that_are_off_are_not_told(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job], person: User, stranger: User
) -> None:
    other = Session.objects.create(owner=person, name="Another")
    Webhook.objects.create(owner=person, url=hook.url, session=other)
    Webhook.objects.create(owner=person, url=hook.url, is_enabled=False)
    Webhook.objects.create(owner=stranger, url=hook.url)
    job = job_of()
    mine = Webhook(owner=person, url=hook.url, session=job.session)
    mine.renew_secret()
    mine.save()
    end(job, Event.COMPLETED)
    tasks.tell_ends()
    assert set(Delivery.objects.values_list("webhook", flat=True)) == {hook.pk, mine.pk}
    assert len(told(receiver)) == 2


def test_the_page_for_receivers_shows_what_is_sent_and_how_it_is_checked(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job]
) -> None:
    page = (REPOSITORY / "docs" / "webhooks.md").read_text()
    shown, sample = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)[0] for kind in ("json", "python"))
    end(job_of(), Event.COMPLETED)
    tasks.tell_ends()
    (heard,) = told(receiver)
    assert shape(json.loads(shown)) == shape(heard.json())
    assert set(re.findall(r"^\| `(X-[\w-]+)`", page, re.MULTILINE)) == {
        name for name in heard.headers if name.startswith("X-")
    }
    there: dict[str, Any] = {}
    exec(sample, there)
    is_genuine = there["is_genuine"]
    assert is_genuine(heard.headers, heard.body, hook.secret)
    assert not is_genuine(heard.headers, heard.body + b" ", hook.secret)
    assert not is_genuine(heard.headers, heard.body, "another secret")
    past = str(int(time.time()) - 301)
    signed = signature(hook.secret, past, heard.body)
    old = {"X-Bulk-Transcribe-Timestamp": past, "X-Bulk-Transcribe-Signature": signed}
    assert not is_genuine(old, heard.body, hook.secret)


def shape(said: Any) -> Any:
    """The keys of a message, in any order."""
    return {key: shape(value) for key, value in said.items()} if isinstance(said, dict) else None


# Once, whatever happens ----------------------------------------------------------------------------
def test_a_tick_killed_while_it_notices_an_end_leaves_all_of_it_to_the_next(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    end(job_of(), Event.COMPLETED)

    write = Delivery.objects.bulk_create

    def write_and_die(rows: list[Delivery]) -> None:
        assert write(rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Delivery.objects, "bulk_create", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            tasks.tell_ends()
    assert not Delivery.objects.exists()
    tasks.tell_ends()
    tasks.tell_ends()
    assert len(told(receiver)) == 1


def test_a_notice_whose_sender_was_killed_is_sent_by_the_next_under_the_same_id(
    hook: Webhook,
    receiver: ScriptedWorker,
    job_of: Callable[..., Job],
    clock: Callable[[timedelta], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end(job_of(), Event.COMPLETED)

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "_note", killed)
        with pytest.raises(KeyboardInterrupt):
            tasks.tell_ends()
    tasks.tell_ends()
    assert len(told(receiver)) == 1, "it is held"
    clock(timedelta(seconds=61))
    tasks.tell_ends()
    first, second = (heard.json()["id"] for heard in told(receiver))
    assert first == second
    assert (Delivery.objects.get().status, Delivery.objects.get().tries) == ("delivered", 2)


def test_of_two_who_want_to_send_a_notice_one_does(hook: Webhook, person: User) -> None:
    ping = delivery.make_ping(hook, person)
    claimed = [delivery._claim(ping.pk) for _ in range(2)]
    assert [entry is not None for entry in claimed] == [True, False]


def test_a_late_note_of_a_try_does_not_undo_what_a_later_one_found(hook: Webhook, person: User) -> None:
    ping = delivery.make_ping(hook, person)
    Delivery.objects.update(tries=2, status=DeliveryStatus.DELIVERED)
    ping.tries = 1
    delivery._note(ping, Outcome(False, problem="too late"))
    assert Delivery.objects.get().status == DeliveryStatus.DELIVERED


# Tried again ---------------------------------------------------------------------------------------
def test_what_fails_is_tried_again_ever_later_and_then_given_up() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=timezone.get_default_timezone())
    failed = Outcome(False, 500)
    decided = [decide(NoticeEvent.JOB_ENDED, tries, failed, now) for tries in range(1, 9)]
    waits = [(made.due_at - now).total_seconds() for made in decided if made.due_at]
    assert waits == [10, 60, 300, 1800, 7200, 21600]
    assert [made.status for made in decided[6:]] == [DeliveryStatus.GIVEN_UP] * 2
    assert decide(NoticeEvent.PING, 1, failed, now).status == DeliveryStatus.GIVEN_UP
    assert decide(NoticeEvent.JOB_ENDED, 1, Outcome(True, 204), now) == Decision(DeliveryStatus.DELIVERED)


def test_a_receiver_that_is_down_hears_of_it_when_it_is_up(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job], clock: Callable[[timedelta], None]
) -> None:
    receiver.script[HOOK] = [Said(503, "not now\0"), Said(200, "fine")]
    end(job_of(), Event.COMPLETED)
    tasks.tell_ends()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.answer_status) == ("waiting", 503)
    assert delivery.problem == "The receiver returned HTTP 503."
    assert "\0" not in delivery.answer_text
    tasks.tell_ends()
    assert len(told(receiver)) == 1, "not yet"
    clock(timedelta(seconds=11))
    tasks.tell_ends()
    assert [heard.json()["id"] for heard in told(receiver)] == [str(delivery.pk)] * 2
    delivery.refresh_from_db()
    assert (delivery.status, delivery.tries, delivery.problem) == ("delivered", 2, "")


def test_a_receiver_that_is_gone_is_left_alone(
    hook: Webhook, receiver: ScriptedWorker, job_of: Callable[..., Job]
) -> None:
    receiver.script[HOOK] = Said(410)
    end(job_of(), Event.COMPLETED)
    end(job_of(), Event.COMPLETED)
    tasks.tell_ends()
    hook.refresh_from_db()
    assert (hook.is_enabled, hook.is_gone, len(told(receiver))) == (False, True, 1)
    assert set(Delivery.objects.values_list("status", flat=True)) == {"given_up"}


def test_one_persons_slow_receiver_does_not_keep_others_waiting(
    hook: Webhook, receiver: ScriptedWorker, stranger: User
) -> None:
    for owner, path in ((hook.owner, "slow"), (hook.owner, "slow"), (stranger, "hook")):
        other = Webhook(owner=owner, url=f"{receiver.url}/{path}")
        other.renew_secret()
        other.save()
        Delivery.objects.create(owner=owner, webhook=other, event=NoticeEvent.JOB_ENDED)
    claimed = delivery._claim_due()
    assert sorted(entry.owner.username for entry in claimed) == ["anna", "jonas"]
    assert not delivery._claim_due(), "one a person"


def test_notices_are_forgotten_after_a_month_but_for_those_still_to_be_sent(
    hook: Webhook, person: User, clock: Callable[[timedelta], None]
) -> None:
    for status, due_at in (("delivered", None), ("given_up", None), ("waiting", timezone.now())):
        Delivery.objects.create(
            owner=person, webhook=hook, event=NoticeEvent.JOB_ENDED, status=status, due_at=due_at
        )
    delivery.prune()
    assert Delivery.objects.count() == 3
    clock(timedelta(days=31))
    delivery.prune()
    assert Delivery.objects.get().status == "waiting"


# E-mail --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("when", "event", "count"),
    [
        ("off", Event.FAILED_BY_WORKER, 0),
        ("failed", Event.COMPLETED, 0),
        ("failed", Event.FAILED_BY_WORKER, 1),
        ("always", Event.COMPLETED, 1),
    ],
)
def test_people_are_written_to_as_they_chose(
    when: str, event: Event, count: int, person: User, job_of: Callable[..., Job], settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    User.objects.filter(pk=person.pk).update(email="anna@example.org")
    MailChoice.objects.create(owner=person, when=when)
    end(job_of(), event)
    for _ in range(2):
        tasks.tell_ends()
    assert len(mail.outbox) == count


def test_a_letter_says_how_the_job_ended_and_where_it_is(
    person: User, job_of: Callable[..., Job], settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    User.objects.filter(pk=person.pk).update(email="anna@example.org")
    MailChoice.objects.create(owner=person, when="always")
    job = job_of(files=3)
    Session.objects.update(name="Valley\nBcc: all@example.org")
    end(job, Event.COMPLETED, Event.COMPLETED, Event.FAILED_BY_WORKER)
    tasks.tell_ends()
    (letter,) = mail.outbox
    assert letter.to == ["anna@example.org"]
    assert letter.subject == "Valley Bcc: all@example.org: 2 of 3 files transcribed, 1 failed."
    assert f"/sessions/{job.session_id}/" in letter.body and "/settings/notifications/" in letter.body
    assert str(Delivery.objects.get().pk) in letter.extra_headers["Message-ID"]


def test_without_a_way_to_send_e_mail_nobody_is_written_to(person: User, job_of: Callable[..., Job]) -> None:
    User.objects.filter(pk=person.pk).update(email="anna@example.org")
    MailChoice.objects.create(owner=person, when="always")
    end(job_of(), Event.COMPLETED)
    tasks.tell_ends()
    assert not Delivery.objects.exists() and not mail.outbox


def test_a_letter_goes_to_a_real_mail_server_and_is_tried_again_where_that_refuses(
    person: User, job_of: Callable[..., Job], settings: Any, clock: Callable[[timedelta], None]
) -> None:
    with MailServer() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        for name, value in Env.email_url_config(settings.EMAIL_URL).items():
            setattr(settings, name, value)
        User.objects.filter(pk=person.pk).update(email="anna@example.org")
        MailChoice.objects.create(owner=person, when="always")
        server.refusal = "451 later"
        end(job_of(), Event.COMPLETED)
        tasks.tell_ends()
        delivery = Delivery.objects.get()
        assert delivery.status == "waiting"
        assert delivery.problem == "The mail server rejected the email: 451 later"
        server.refusal = ""
        clock(timedelta(seconds=11))
        tasks.tell_ends()
        delivery.refresh_from_db()
        assert (delivery.status, delivery.tries) == ("delivered", 2)
    (letter,) = map(message_from_string, server.letters)
    assert letter["To"] == "anna@example.org"
    assert letter["Subject"] == "Valley interviews: 1 file transcribed."
    assert f"/sessions/{delivery.job.session_id}/" in letter.get_payload(decode=True).decode()


def test_a_mail_server_that_is_away_is_tried_again(
    person: User, job_of: Callable[..., Job], settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    for name, value in Env.email_url_config(settings.EMAIL_URL).items():
        setattr(settings, name, value)
    User.objects.filter(pk=person.pk).update(email="anna@example.org")
    MailChoice.objects.create(owner=person, when="always")
    end(job_of(), Event.COMPLETED)
    tasks.tell_ends()
    delivery = Delivery.objects.get()
    assert delivery.status == "waiting"
    assert delivery.problem == "The mail server could not be reached (ConnectionRefusedError)."
    assert JobInput.objects.get().status == "complete"
