#!/usr/bin/env python
"""Django's command line for the controller."""

import os
import sys

FIRST_START_COMMANDS = {"up", "demo"}
CODE_COMMANDS = {"check", "makemigrations", "draw_statuses", "draw_openapi", "draw_errors"}  # keep nothing


def main() -> None:
    # Imported here: it takes a second, in which people press Ctrl-C.
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from bulktranscribe.directories import make_directories
    from bulktranscribe.environment import load_environment, make_secrets

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")
    if FIRST_START_COMMANDS.intersection(sys.argv[1:2]):
        make_secrets(load_environment())
    try:
        if len(sys.argv) > 1 and not CODE_COMMANDS.intersection(sys.argv[1:2]):
            make_directories()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(f"Bulk Transcribe cannot start: {wrong}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        sys.exit(130)
