"""manage.py transcribe FILE|DIR…: recordings into transcripts, from the terminal."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bulktranscribe.cli import options, verbs
from bulktranscribe.local_client import LocalClient


class Command(BaseCommand):
    help = (
        "Transcribe files, and folders with all that is in them. The installation must be running (make up). "
        "Exit code 0: every file is complete; 1: some are not; 2: wrong usage; 130: Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        options.add_transcribe(parser)
        parser.add_argument(
            "--user", metavar="NAME", help="whose session; left out: the first administrator's"
        )

    def handle(self, *args: Any, **said: Any) -> None:
        sys.exit(verbs.transcribe(LocalClient.of, Namespace(**said)))
