"""Signing in by the link that works once, and by name and password."""

import re
from io import StringIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from bulktranscribe.sign_in import make_owner, sign_in_link


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_a_link_signs_in_once_and_looking_at_it_does_not_use_it_up(db: None) -> None:
    link = sign_in_link(make_owner(), base="")
    client = Client()
    assert (client.get(link).status_code, is_signed_in(client)) == (200, False)
    client.post(link)
    assert is_signed_in(client)
    second = Client()
    assert (second.post(link).status_code, is_signed_in(second)) == (410, False)


def test_an_altered_or_foreign_link_signs_nobody_in(person: User, stranger: User) -> None:
    link = sign_in_link(person, base="")
    foreign = link.replace(f"/{person.pk}/", f"/{stranger.pk}/")
    for wrong in (link[:-2] + "x/", foreign, "/sign-in/0/abc/", "/sign-in/999999/abc-def/", "/sign-in/x/y/"):
        client = Client()
        assert (client.post(wrong).status_code, is_signed_in(client)) == (410, False)


def test_the_owner_is_made_once(db: None) -> None:
    assert make_owner() == make_owner()
    assert User.objects.get().is_superuser
    assert not User.objects.get().has_usable_password()


def test_an_owner_who_may_not_administer_keeps_the_name(db: None) -> None:
    User.objects.create_user("owner")
    User.objects.create_superuser("owner-2", is_active=False)
    assert make_owner().get_username() == "owner-3"
    assert make_owner().get_username() == "owner-3"
    assert not User.objects.get(username="owner").is_superuser


def test_the_command_prints_a_link_that_works(db: None) -> None:
    out = StringIO()
    call_command("sign_in_link", stdout=out)
    found = re.search(r"http://127\.0\.0\.1:8476(/sign-in/\S+)", out.getvalue())
    assert found
    client = Client()
    client.post(found[1])
    assert is_signed_in(client)


def test_a_password_signs_in_and_a_wrong_one_does_not(person: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"username": "anna", "password": "wrong"})
    assert not is_signed_in(client)
    client.post("/accounts/login/", {"username": "anna", "password": "a long pass phrase"})
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)
