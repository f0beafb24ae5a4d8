"""The forms of the notification settings."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from jobs.models import MailChoice, Session, Webhook
from jobs.notifications.webhook_addresses import check_address

MAX_WEBHOOKS = 20  # a person


class MailForm(forms.Form):
    """When and where a user receives email."""

    when = forms.ChoiceField(label=_("Email me"), choices=MailChoice.When.choices)
    email = forms.EmailField(label=_("Email address"), max_length=254, required=False)

    @classmethod
    def of(cls, person: User, data: Any = None) -> "MailForm":
        """Return the form with the current settings."""
        choice = MailChoice.objects.filter(owner=person).first()
        when = choice.when if choice else MailChoice.When.OFF
        return cls(data, initial={"when": when, "email": person.email})

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or self.cleaned_data
        if chosen.get("when") != MailChoice.When.OFF and not chosen.get("email") and not self.errors:
            self.add_error("email", _("Enter an email address."))
        return chosen

    @transaction.atomic
    def save(self, person: User) -> None:
        """Save the setting, and the address with the account."""
        person.email = self.cleaned_data["email"]
        person.save(update_fields=["email"])
        MailChoice.objects.update_or_create(owner=person, defaults={"when": self.cleaned_data["when"]})


class WebhookForm(forms.ModelForm[Webhook]):
    """A webhook URL and its sessions."""

    class Meta:
        model = Webhook
        fields = ("url", "session", "is_enabled")

    def __init__(self, person: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.owner = person
        self.fields["url"].validators.append(check_address)
        self.fields["url"].widget.input_type = "url"
        sessions = cast("forms.ModelChoiceField[Session]", self.fields["session"])
        sessions.queryset = Session.objects.filter(owner=person)
        sessions.empty_label = str(_("All my sessions"))

    def clean(self) -> dict[str, Any]:
        is_new = self.instance._state.adding
        if is_new and Webhook.objects.filter(owner=self.instance.owner).count() >= MAX_WEBHOOKS:
            raise forms.ValidationError(_("You have reached the limit of %d webhooks.") % MAX_WEBHOOKS)
        return super().clean() or self.cleaned_data

    def save(self, commit: bool = True) -> Webhook:
        if self.cleaned_data["is_enabled"]:
            self.instance.is_gone = False
        return super().save(commit)
