"""manage.py watch DIR --session NAME: transcribe what appears in a folder."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bulktranscribe.cli import options, verbs
from bulktranscribe.local_client import LocalClient


class Command(BaseCommand):
    help = (
        "Transcribe each recording that appears in a folder, once it has stopped changing, until Ctrl-C. "
        "Bulk Transcribe must be running (make up)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        options.add_watch(parser)
        parser.add_argument(
            "--user", metavar="NAME", help="owner of the session (default: the first administrator)"
        )

    def handle(self, *args: Any, **said: Any) -> None:
        sys.exit(verbs.watch(LocalClient.of, Namespace(**said)))
