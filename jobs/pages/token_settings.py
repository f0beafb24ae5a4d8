"""The settings page of API tokens. Works without JavaScript."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from jobs import access
from jobs.api import tokens
from jobs.models import ApiToken, Scope, Session

DAYS = [
    ("7", gettext_lazy("In 7 days")),
    ("30", gettext_lazy("In 30 days")),
    ("365", gettext_lazy("In 1 year")),
    ("", gettext_lazy("Never")),
]


class TokenForm(forms.Form):
    """A new token: name, permissions, session, and expiration."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"),
        choices=Scope.choices,
        initial=[Scope.READ.value],
        error_messages={"required": gettext_lazy("Choose at least one permission.")},
    )
    session = forms.ModelChoiceField(
        Session.objects.none(),
        label=gettext_lazy("Session"),
        required=False,
        empty_label=gettext_lazy("All sessions"),
    )
    days = forms.ChoiceField(label=gettext_lazy("Expires"), choices=DAYS, required=False, initial="365")

    def __init__(self, person: access.Person, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        cast("forms.ModelChoiceField[Session]", self.fields["session"]).queryset = access.sessions_of(person)

    def create(self, owner: User) -> tuple[ApiToken, str]:
        """Create the token; the second value is its secret. Raises TooManyTokens."""
        chosen = self.cleaned_data
        expires_at = timezone.now() + timedelta(days=int(chosen["days"])) if chosen["days"] else None
        scopes = [Scope(value) for value in chosen["scopes"]]
        return tokens.create(owner, chosen["name"], scopes, chosen["session"], expires_at)


@login_required
@require_http_methods(["GET", "HEAD"])
def settings_home(request: HttpRequest) -> HttpResponse:
    return redirect("settings-tokens")


@sensitive_variables("secret")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens_page(request: HttpRequest) -> HttpResponse:
    """List the tokens. POST creates one and shows its secret only in that response."""
    person = access.person_of(request)
    form, made, secret = TokenForm(person, request.POST or None), None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = form.create(person)
            form = TokenForm(person)
        except tokens.TooManyTokens:
            form.add_error(None, _("You have reached the limit for API tokens. Revoke one first."))
    shown = ApiToken.objects.filter(owner=person).select_related("session")
    status = 400 if form.errors else 200
    context = {"form": form, "tokens": shown, "made": made, "secret": secret}
    return render(request, "settings/tokens.html", context, status=status)


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: UUID) -> HttpResponse:
    token = access.find_token(request.user, pk)
    token.delete()
    messages.success(request, _("%(name)s was revoked.") % {"name": token.name})
    return redirect("settings-tokens")
