"""python -m bulktranscribe.cli: an installation elsewhere, from the terminal."""

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
    "watch": (verbs.watch, "transcribe what appears in a folder"),
    "status": (verbs.status, "how a session's files are"),
    "fetch": (verbs.fetch, "a session's transcripts into files"),
}


def main() -> int:
    """Do what the command line says and return the exit code."""
    said = parser().parse_args()
    verb, _ = VERBS[said.verb]
    return verb(client_for, said)


def client_for(said: argparse.Namespace) -> RemoteClient:
    """Return the desk that is named. Raises Refused."""
    if not said.url or not said.token:
        missing = "--url" if not said.url else "--token"
        text = f"Say where: {missing}, or the variable BULKTRANSCRIBE_{missing[2:].upper()}."
        raise Refused("WRONG_USAGE", text)
    check_address(said.url, insecure=said.insecure)
    return RemoteClient(said.url, said.token.strip())


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    said = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Recordings into transcripts, on an installation of Bulk Transcribe elsewhere.",
        epilog="Exit code 0: every file is complete; 1: some are not; 2: wrong usage; 130: Ctrl-C.",
    )
    said.add_argument(
        "--url", default=os.environ.get("BULKTRANSCRIBE_URL", ""), help="or the variable BULKTRANSCRIBE_URL"
    )
    said.add_argument(
        "--token",
        default=os.environ.get("BULKTRANSCRIBE_TOKEN", ""),
        help="better the variable BULKTRANSCRIBE_TOKEN: others on a machine see what was typed",
    )
    said.add_argument(
        "--insecure", action="store_true", help="send the token over http://, to other machines too"
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
