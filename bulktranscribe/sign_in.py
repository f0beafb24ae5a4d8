"""Sign-in with a one-time link, which `manage.py up` prints, or a password; and sign-up, if allowed."""

from itertools import chain, count
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import LoginView
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

OWNER_NAME = "owner"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInTokens(PasswordResetTokenGenerator):
    """Signed, expiring tokens that include the time of the last sign-in, so that used ones become invalid."""

    key_salt = "bulktranscribe.sign_in"


tokens = SignInTokens()


def make_owner() -> User:
    """Return the first administrator, creating one without a password if there is none."""
    owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return owner or User.objects.create_superuser(_free_name())


def _free_name() -> str:
    """Return "owner", or "owner-2" and so on if that name is taken."""
    names = chain([OWNER_NAME], (f"{OWNER_NAME}-{number}" for number in count(2)))
    return next(name for name in names if not User.objects.filter(username=name).exists())


def sign_in_link(user: User, base: str | None = None) -> str:
    """Return a one-time sign-in link for this user."""
    path = reverse("sign-in", args=[user.pk, tokens.make_token(user)])
    return (base or settings.LOCAL_CONTROLLER_URL) + path


@sensitive_variables("token")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, user_id: str, token: str) -> HttpResponse:
    """GET shows a button, so that link previews do not consume the link; POST signs in."""
    pk = int(user_id) if user_id.isascii() and user_id.isdigit() and len(user_id) < 10 else 0
    user = get_user_model().objects.filter(pk=pk, is_active=True).first()
    is_valid = user is not None and tokens.check_token(user, token)
    if request.method == "POST" and is_valid and user is not None:
        login(request, user, backend=BACKEND)
        return redirect("sessions")
    context = {
        "expired": not is_valid,
        "token": token,
        "name": user.get_username() if is_valid and user else "",
    }
    return render(request, "registration/sign_in.html", context, status=200 if is_valid else 410)


class SignIn(LoginView):
    """Sign in with username and password; links to sign-up if allowed."""

    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"can_sign_up": settings.ALLOW_SIGNUP}


@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account and sign in, if ALLOW_SIGNUP is set."""
    if not settings.ALLOW_SIGNUP:
        raise Http404("Sign-up is disabled. Ask an administrator for an account.")
    if request.user.is_authenticated:
        return redirect("sessions")
    form: UserCreationForm[User] = UserCreationForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (person := _made(form)):
        login(request, person, backend=BACKEND)
        return redirect("sessions")
    return render(request, "registration/sign_up.html", {"form": form}, status=400 if form.is_bound else 200)


def _made(form: "UserCreationForm[User]") -> User | None:
    """Return the new account, None if its name was taken in the meantime."""
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error("username", form.instance.unique_error_message(User, ("username",)))
        return None
