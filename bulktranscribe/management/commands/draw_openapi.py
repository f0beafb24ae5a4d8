"""manage.py draw_openapi: generate docs/openapi.json from the operations; --check only compares."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bulktranscribe.api.openapi import document
from bulktranscribe.environment import BASE_DIR

PAGE = BASE_DIR / "docs" / "openapi.json"


class Command(BaseCommand):
    help = "Generate docs/openapi.json, the description of the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the file is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        drawn = json.dumps(document(), ensure_ascii=False, indent=1) + "\n"
        if not options["check"]:
            PAGE.write_text(drawn)
        elif not PAGE.is_file() or PAGE.read_text() != drawn:
            raise CommandError("docs/openapi.json is out of date. Run `manage.py draw_openapi`.")
