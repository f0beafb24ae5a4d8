"""python -m bulktranscribe.cli: use a remote server from the terminal."""

import argparse
import os
import sys
from pathlib import Path

from bulktranscribe.cli import options, verbs
from bulktranscribe.cli.client import Refused
from bulktranscribe.cli.remote_client import RemoteClient, check_address

PROGRAM = "python -m bulktranscribe.cli"
VERBS = {
    "transcribe": (verbs.transcribe, "transcribe files and folders"),
    "watch": (verbs.watch, "transcribe recordings that appear in a folder"),
    "status": (verbs.status, "show the status of the files in a session"),
    "fetch": (verbs.fetch, "download the transcripts of a session"),
}


def main() -> int:
    """Run the command line and return the exit code."""
    said = parser().parse_args()
    verb, _ = VERBS[said.verb]
    return verb(client_for, said)


def client_for(said: argparse.Namespace) -> RemoteClient:
    """Return the client for the given options. Raises Refused."""
    if not said.url or not said.token:
        missing = "--url" if not said.url else "--token"
        text = f"Missing option: {missing} (or set the environment variable BULKTRANSCRIBE_{missing[2:].upper()})."
        raise Refused("WRONG_USAGE", text)
    check_address(said.url, insecure=said.insecure)
    return RemoteClient(said.url, said.token.strip())


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    said = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Transcribe recordings with a remote Bulk Transcribe server.",
        epilog="Exit codes: 0 if every file is complete, 1 if some are not, 2 for usage errors, 130 for Ctrl-C.",
    )
    said.add_argument(
        "--url",
        default=os.environ.get("BULKTRANSCRIBE_URL", ""),
        help="URL of the server (default: the environment variable BULKTRANSCRIBE_URL)",
    )
    said.add_argument(
        "--token",
        default=os.environ.get("BULKTRANSCRIBE_TOKEN", ""),
        help="API token; prefer the environment variable BULKTRANSCRIBE_TOKEN: command lines are visible to "
        "other users of this machine",
    )
    said.add_argument(
        "--insecure",
        action="store_true",
        help="allow sending the token over unencrypted http:// to other machines",
    )
    each = said.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
    parsers = {name: each.add_parser(name, help=text, description=text) for name, (_, text) in VERBS.items()}
    options.add_transcribe(parsers["transcribe"])
    options.add_watch(parsers["watch"])
    options.add_session(parsers["status"])
    options.add_session(parsers["fetch"])
    options.add_exports(parsers["fetch"], out=Path())
    return said


if __name__ == "__main__":
    sys.exit(main())
