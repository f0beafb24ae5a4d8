"""manage.py sign_in_link [NAME]: create a one-time sign-in link."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from bulktranscribe.sign_in import make_owner, sign_in_link


class Command(BaseCommand):
    help = "Print a one-time sign-in link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="username (default: the first administrator)")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        user = User.objects.filter(username=name, is_active=True).first() if name else make_owner()
        if user is None:
            raise CommandError(f"User not found: {name}.")
        self.stdout.write(sign_in_link(user, settings.CONTROLLER_BASE_URL))
