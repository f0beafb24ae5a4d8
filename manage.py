#!/usr/bin/env python
"""Django's command line for the controller."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

from bulktranscribe.environment import load_environment, make_secrets

FIRST_START_COMMANDS = {"up", "demo"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")
    if FIRST_START_COMMANDS.intersection(sys.argv[1:2]):
        make_secrets(load_environment())
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(f"Bulk Transcribe cannot start: {wrong}")


if __name__ == "__main__":
    main()
