"""The notification settings: what people choose, what they see of what was sent, and what nobody else sees."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Delivery, MailChoice, NoticeEvent, Session, Webhook
from jobs.notifications.forms import MAX_WEBHOOKS
from tests.scripted_worker import Said, ScriptedWorker

PAGE = "/settings/notifications/"


@pytest.fixture
def receiver(settings: Any) -> Iterator[ScriptedWorker]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with ScriptedWorker() as server:
        server.script["POST /hook"] = Said(200, "thank you")
        yield server


@pytest.fixture
def hook(person: User, receiver: ScriptedWorker) -> Webhook:
    made = Webhook(owner=person, url=f"{receiver.url}/hook?key=of-the-receiver")
    made.renew_secret()
    made.save()
    receiver.script["POST /hook?key=of-the-receiver"] = Said(200, "<b>thank you</b>")
    return made


def text(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_webhook_is_added_and_its_secret_shown_once_and_not_kept_readable(
    browser: Client, receiver: ScriptedWorker, session: Session
) -> None:
    url = f"{receiver.url}/hook"
    order = {"url": url, "session": str(session.pk), "is_enabled": "on"}
    answer = browser.post(reverse("webhook-add"), order)
    hook = Webhook.objects.get()
    assert answer.headers["Location"] == reverse("webhook", args=[hook.pk])
    first, second = (text(browser, answer.headers["Location"]) for _ in range(2))
    assert hook.secret in first and hook.secret not in second
    assert hook.secret not in hook.secret_encrypted and len(hook.secret) > 30
    assert (hook.url, hook.session, hook.is_enabled) == (url, session, True)
    browser.post(reverse("webhook-test", args=[hook.pk]))
    (heard,) = receiver.heard
    signed = heard.headers["X-Bulk-Transcribe-Timestamp"].encode() + b"." + heard.body
    made = hmac.new(hook.secret.encode(), signed, hashlib.sha256).hexdigest()
    assert heard.headers["X-Bulk-Transcribe-Signature"] == f"sha256={made}"


@pytest.mark.parametrize("url", ["http://example.org/", "https://127.0.0.1/", "javascript:alert(1)", ""])
def test_an_address_that_no_webhook_may_have_is_refused_with_a_reason(url: str, browser: Client) -> None:
    answer = browser.post(reverse("webhook-add"), {"url": url, "is_enabled": "on"})
    assert answer.status_code == 400
    assert b"errorlist" in answer.content and not Webhook.objects.exists()


def test_a_person_has_so_many_webhooks_and_no_more(browser: Client, person: User) -> None:
    Webhook.objects.bulk_create(Webhook(owner=person, url="https://a.example/") for _ in range(MAX_WEBHOOKS))
    answer = browser.post(reverse("webhook-add"), {"url": "https://b.example/", "is_enabled": "on"})
    assert (answer.status_code, Webhook.objects.count()) == (400, MAX_WEBHOOKS)


def test_a_test_says_at_once_whether_it_has_arrived(
    browser: Client, hook: Webhook, receiver: ScriptedWorker
) -> None:
    address = reverse("webhook-test", args=[hook.pk])
    arrived = browser.post(address, follow=True).content.decode()
    assert "Delivered." in arrived and "&lt;b&gt;thank you" in arrived
    assert receiver.heard[0].json()["event"] == "ping"
    receiver.script["POST /hook?key=of-the-receiver"] = Said(302, "", {"Location": "https://example.org/"})
    lost = browser.post(address, follow=True).content.decode()
    assert "redirected (HTTP 302)" in lost
    assert [entry.status for entry in Delivery.objects.all()] == ["given_up", "delivered"]


def test_a_notice_is_sent_again_under_its_id(
    browser: Client, hook: Webhook, person: User, receiver: ScriptedWorker
) -> None:
    old = Delivery.objects.create(
        owner=person, webhook=hook, event=NoticeEvent.JOB_ENDED, status="given_up", tries=7, due_at=None
    )
    browser.post(reverse("delivery-again", args=[old.pk]))
    assert receiver.heard[0].json()["id"] == str(old.pk)
    old.refresh_from_db()
    assert (old.status, old.tries, old.held_until) == ("delivered", 8, None)
    Delivery.objects.update(held_until=timezone.now() + timedelta(seconds=9))
    waiting = browser.post(reverse("delivery-again", args=[old.pk]), follow=True)
    assert "Another notification is being sent" in waiting.content.decode()
    browser.post(reverse("webhook-test", args=[hook.pk]))
    assert Delivery.objects.count() == 1
    assert len(receiver.heard) == 1


def test_a_webhook_is_changed_turned_off_given_a_new_secret_and_deleted(
    browser: Client, hook: Webhook
) -> None:
    address, secret = reverse("webhook", args=[hook.pk]), hook.secret
    Webhook.objects.update(is_gone=True)
    browser.post(address, {"url": hook.url})
    hook.refresh_from_db()
    assert (hook.is_enabled, hook.is_gone) == (False, True)
    browser.post(address, {"url": hook.url, "is_enabled": "on"})
    hook.refresh_from_db()
    assert (hook.is_enabled, hook.is_gone, hook.secret) == (True, False, secret)
    assert browser.post(address, {"url": "nowhere", "is_enabled": "on"}).status_code == 400
    page = browser.post(reverse("webhook-secret", args=[hook.pk]), follow=True).content.decode()
    hook.refresh_from_db()
    assert hook.secret != secret and hook.secret in page
    browser.post(reverse("webhook-delete", args=[hook.pk]))
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "name", ["webhook", "webhook-test", "webhook-secret", "webhook-delete", "delivery-again"]
)
def test_what_is_another_persons_does_not_exist(
    name: str, hook: Webhook, person: User, stranger: User, receiver: ScriptedWorker
) -> None:
    delivery = Delivery.objects.create(owner=person, webhook=hook, event=NoticeEvent.PING)
    client = Client()
    client.force_login(stranger)
    address = reverse(name, args=[delivery.pk if name == "delivery-again" else hook.pk])
    assert client.post(address, {"url": "https://example.org/"}).status_code == 404
    assert client.get(address).status_code in (404, 405)
    assert str(hook.pk) not in text(client, PAGE)
    assert Client().post(address).headers["Location"].startswith("/accounts/login/")
    assert Webhook.objects.get().secret == hook.secret and not receiver.heard


def test_a_session_of_another_person_cannot_be_chosen(browser: Client, stranger: User) -> None:
    other = Session.objects.create(owner=stranger, name="Not yours")
    assert "Not yours" not in text(browser, PAGE)
    order = {"url": "https://a.example/", "session": str(other.pk), "is_enabled": "on"}
    assert browser.post(reverse("webhook-add"), order).status_code == 400


def test_e_mail_is_chosen_with_an_address(browser: Client, person: User, settings: Any) -> None:
    assert "Email is not set up" in text(browser, PAGE)
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    assert browser.post(PAGE, {"when": "always", "email": ""}).status_code == 400
    assert browser.post(PAGE, {"when": "always", "email": "a@b.example\nBcc: c@d.example"}).status_code == 400
    browser.post(PAGE, {"when": "failed", "email": "anna@example.org"})
    person.refresh_from_db()
    assert (person.email, MailChoice.objects.get().when) == ("anna@example.org", "failed")
    assert re.search(r'value="failed" selected', text(browser, PAGE))
    browser.post(PAGE, {"when": "off", "email": ""})
    assert MailChoice.objects.get().when == "off"


def test_the_admin_shows_webhooks_and_notices_without_secrets(hook: Webhook, person: User) -> None:
    delivery = Delivery.objects.create(owner=person, webhook=hook, event=NoticeEvent.PING)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for path in ("webhook/", f"webhook/{hook.pk}/change/", "delivery/", f"delivery/{delivery.pk}/change/"):
        page = text(client, f"/admin/jobs/{path}")
        assert hook.place in page
        assert not [
            hidden for hidden in ("of-the-receiver", hook.secret, hook.secret_encrypted) if hidden in page
        ]
