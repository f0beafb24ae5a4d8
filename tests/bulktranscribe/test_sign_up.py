"""Accounts that people make for themselves, where ALLOW_SIGNUP is set."""

from typing import Any

import pytest
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.test import Client

from bulktranscribe import environment

URL = "/accounts/sign-up/"
GOOD = {"username": "mira", "password1": "seven ledgers", "password2": "seven ledgers"}


@pytest.fixture
def allowed(db: None, settings: Any) -> None:
    settings.ALLOW_SIGNUP = True


def test_it_is_off_unless_it_is_wanted(db: None, settings: Any) -> None:
    assert (settings.ALLOW_SIGNUP, environment.flag("ALLOW_SIGNUP")) == (False, False)
    client = Client()
    assert (client.get(URL).status_code, client.post(URL, GOOD).status_code) == (404, 404)
    assert URL not in client.get("/accounts/login/").content.decode()
    assert not User.objects.exists()


@pytest.mark.usefixtures("allowed")
def test_whoever_signs_up_is_signed_in_and_is_nobody_special() -> None:
    client = Client(enforce_csrf_checks=True)
    assert f'href="{URL}"' in client.get("/accounts/login/").content.decode()
    assert client.post(URL, GOOD).status_code == 403, "not without the page's token"
    client.get(URL)
    token = client.cookies["csrftoken"].value
    answer = client.post(URL, {**GOOD, "is_staff": "1", "is_superuser": "1", "csrfmiddlewaretoken": token})
    assert answer.headers["Location"] == "/"
    assert client.get("/").status_code == 200
    made = User.objects.get()
    assert (made.get_username(), made.check_password("seven ledgers")) == ("mira", True)
    assert not (made.is_staff or made.is_superuser)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "wrong",
    [
        {"password1": "short", "password2": "short"},
        {"password1": "password123", "password2": "password123"},
        {"password2": "another one"},
        {"username": "ANNA"},
        {"username": "a\0b"},
        {"username": ""},
        {"username": "x" * 151},
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_made(wrong: dict[str, str], person: User) -> None:
    client = Client()
    answer = client.post(URL, {**GOOD, **wrong})
    assert (answer.status_code, "errorlist" in answer.content.decode()) == (400, True)
    assert "seven ledgers" not in answer.content.decode()
    assert User.objects.count() == 1


@pytest.mark.usefixtures("allowed")
def test_of_two_who_choose_one_name_at_once_the_second_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    save = UserCreationForm.save

    def after_another(form: "UserCreationForm[User]") -> Any:
        User.objects.create_user("mira")
        return save(form)

    monkeypatch.setattr(UserCreationForm, "save", after_another)
    answer = Client().post(URL, GOOD)
    assert (answer.status_code, "already exists" in answer.content.decode()) == (400, True)


@pytest.mark.usefixtures("allowed")
def test_who_is_signed_in_already_is_sent_on(browser: Client) -> None:
    assert browser.get(URL).headers["Location"] == "/"
    assert browser.post(URL, GOOD).headers["Location"] == "/"
    assert User.objects.count() == 1
