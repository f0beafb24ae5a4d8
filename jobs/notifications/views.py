"""Pages of the notification settings: email, webhooks, and recent deliveries."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from jobs import access
from jobs.models import Delivery, DeliveryStatus, Webhook
from jobs.models.notifications import cipher
from jobs.notifications import delivery
from jobs.notifications.forms import MailForm, WebhookForm

SHOWN = 50  # deliveries of a webhook
SHOWN_LETTERS = 5
NEW_SECRET = "new_webhook_secret"  # noqa: S105 - a key of the browser's session


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    person = access.person_of(request)
    form = MailForm.of(person, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save(person)
        messages.success(request, _("Saved."))
        return redirect("notifications")
    return _page(request, form, WebhookForm(person, initial={"is_enabled": True}))


@login_required
@require_POST
def add_webhook(request: HttpRequest) -> HttpResponse:
    person = access.person_of(request)
    form = WebhookForm(person, request.POST)
    if not form.is_valid():
        return _page(request, MailForm.of(person), form)
    return _show_once(request, form.instance, form.instance.renew_secret())


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    hook = access.find_webhook(request.user, pk)
    form = WebhookForm(access.person_of(request), request.POST or None, instance=hook)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("webhook", pk)
    context = {
        "hook": access.find_webhook(request.user, pk),  # as it is, whatever the form says
        "form": form,
        "secret": _new_secret(request, pk),
        "deliveries": hook.deliveries.select_related("job__session")[:SHOWN],
    }
    return render(request, "settings/webhook.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def renew_secret(request: HttpRequest, pk: UUID) -> HttpResponse:
    hook = access.find_webhook(request.user, pk)
    return _show_once(request, hook, hook.renew_secret())


@login_required
@require_POST
def delete_webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    access.find_webhook(request.user, pk).delete()
    messages.success(request, _("The webhook was deleted."))
    return redirect("notifications")


@login_required
@require_POST
def test_webhook(request: HttpRequest, pk: UUID) -> HttpResponse:
    hook = access.find_webhook(request.user, pk)
    ping = delivery.make_ping(hook, access.person_of(request))
    told = delivery.deliver_now(ping)
    if told is None:
        ping.delete()
    _tell(request, told)
    return redirect("webhook", pk)


@login_required
@require_POST
def send_again(request: HttpRequest, pk: UUID) -> HttpResponse:
    past = access.find_delivery(request.user, pk)
    _tell(request, delivery.deliver_now(past))
    return redirect("webhook", past.webhook_id) if past.webhook_id else redirect("notifications")


def _page(request: HttpRequest, mail_form: MailForm, hook_form: WebhookForm) -> HttpResponse:
    person = access.person_of(request)
    letters = Delivery.objects.filter(owner=person, webhook=None).select_related("job__session")
    context = {
        "mail_form": mail_form,
        "can_mail": bool(settings.EMAIL_URL),
        "letters": letters[:SHOWN_LETTERS],
        "hook_form": hook_form,
        "hooks": Webhook.objects.filter(owner=person).select_related("session"),
    }
    is_wrong = bool(mail_form.errors or hook_form.errors)
    return render(request, "settings/notifications.html", context, status=400 if is_wrong else 200)


def _show_once(request: HttpRequest, hook: Webhook, secret: str) -> HttpResponse:
    """Save the webhook with its new secret, and show the secret once on its page."""
    hook.save()
    request.session[NEW_SECRET] = [str(hook.pk), cipher.encrypt(secret)]
    return redirect("webhook", hook.pk)


def _new_secret(request: HttpRequest, pk: UUID) -> str:
    of, sealed = request.session.get(NEW_SECRET, ("", ""))
    if of != str(pk):
        return ""
    del request.session[NEW_SECRET]
    return cipher.decrypt(sealed)


def _tell(request: HttpRequest, delivery: Delivery | None) -> None:
    if delivery is None:
        messages.warning(request, _("Another notification is being sent. Try again in a moment."))
    elif delivery.status == DeliveryStatus.DELIVERED:
        messages.success(request, _("Delivered."))
    else:
        messages.error(request, _("Not delivered: %(problem)s") % {"problem": delivery.problem})
