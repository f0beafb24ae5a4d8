"""manage.py transcribe FILE|DIR…: transcribe recordings from the terminal."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bulktranscribe.cli import options, verbs
from bulktranscribe.local_client import LocalClient


class Command(BaseCommand):
    help = (
        "Transcribe files and folders. Bulk Transcribe must be running (make up). "
        "Exit codes: 0 if every file is complete, 1 if some are not, 2 for usage errors, 130 for Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        options.add_transcribe(parser)
        parser.add_argument(
            "--user", metavar="NAME", help="owner of the session (default: the first administrator)"
        )

    def handle(self, *args: Any, **said: Any) -> None:
        sys.exit(verbs.transcribe(LocalClient.of, Namespace(**said)))
