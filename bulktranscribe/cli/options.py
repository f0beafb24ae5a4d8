"""Command-line options, shared by the local and the remote client."""

import argparse
import re
from dataclasses import dataclass, field
from pathlib import Path

from bulktranscribe.cli.client import JobOptions

MOST_SPEAKERS = 100
SESSION = "Command line"


@dataclass(frozen=True)
class CliOptions:
    """The parsed options."""

    session: str
    job_options: JobOptions
    formats: list[str] = field(default_factory=list)
    out: Path | None = None
    overwrite: bool = False
    again: bool = False
    cancel_on_interrupt: bool = False
    settle_seconds: float = 5.0
    once: bool = False


def add_common(parser: argparse.ArgumentParser, session: str | None = SESSION) -> None:
    """Add the options for jobs and exports."""
    add_session(parser, session)
    parser.add_argument("--model", default="", help="speech model (default: the default model of the server)")
    parser.add_argument(
        "--language", default="", help="language code such as en, de, or zh (default: auto-detect)"
    )
    parser.add_argument(
        "--speakers",
        type=speakers,
        default="auto",
        metavar="auto|none|N|A-B",
        help="number of speakers (default: auto)",
    )
    parser.add_argument(
        "--gpu", action="store_true", help="run on a remote GPU worker, if the server has one"
    )
    add_exports(parser)


def add_session(parser: argparse.ArgumentParser, session: str | None = SESSION) -> None:
    """Add the session option, which is required if there is no default."""
    usual = f" (default: {session})" if session else ""
    parser.add_argument(
        "--session",
        metavar="NAME",
        required=session is None,
        default=session,
        help=f"name of the session{usual}",
    )


def add_exports(parser: argparse.ArgumentParser, out: Path | None = None) -> None:
    """Add the export options."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", default=out, help="write transcripts to this folder"
    )
    parser.add_argument(
        "--format",
        type=formats,
        default=["txt"],
        metavar="txt,srt,…",
        help="comma-separated export formats (default: txt)",
    )
    parser.add_argument("--overwrite", action="store_true", help="overwrite existing files in --out")


def add_transcribe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `transcribe`."""
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="FILE|DIR", help="recordings or folders of recordings"
    )
    add_common(parser)
    parser.add_argument(
        "--again",
        action="store_true",
        help="transcribe again what was already transcribed with these options",
    )
    parser.add_argument("--cancel-on-interrupt", action="store_true", help="cancel the job on Ctrl-C")


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watch`."""
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="the folder to watch, including its subfolders"
    )
    add_common(parser, session=None)
    parser.add_argument(
        "--once", action="store_true", help="transcribe the current files, wait until they finish, and exit"
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="upload a file once it has not changed for this long (default: 5)",
    )


def cli_options_of(said: argparse.Namespace) -> CliOptions:
    """Return the parsed options."""
    return CliOptions(
        session=said.session,
        job_options=JobOptions(said.model, said.language, said.speakers, said.gpu),
        formats=said.format,
        out=said.out,
        overwrite=said.overwrite,
        again=getattr(said, "again", False),
        cancel_on_interrupt=getattr(said, "cancel_on_interrupt", False),
        settle_seconds=getattr(said, "settle", 5.0),
        once=getattr(said, "once", False),
    )


def speakers(text: str) -> str:
    """Parse --speakers. Raises ArgumentTypeError."""
    if text in ("auto", "none"):
        return text
    shape = re.fullmatch(r"([1-9]\d{0,2})(?:-([1-9]\d{0,2}))?", text)
    low, high = (int(shape[1]), int(shape[2] or shape[1])) if shape else (0, 0)
    if not 1 <= low <= high <= MOST_SPEAKERS:
        raise argparse.ArgumentTypeError("must be auto, none, a number, or a range such as 2-4")
    return text


def formats(text: str) -> list[str]:
    """Parse --format. Raises ArgumentTypeError."""
    names = [name.strip().lower().lstrip(".") for name in text.split(",")]
    if not all(re.fullmatch(r"[a-z0-9_-]{1,20}", name) for name in names):
        raise argparse.ArgumentTypeError("must be a comma-separated list such as txt,srt")
    return list(dict.fromkeys(names))
