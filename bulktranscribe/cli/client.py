"""The client interface of the command line: `local_client` runs in this process, `remote_client` uses HTTP."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

ENDED = ("complete", "failed", "canceled")
BLOCK = 1 << 20  # bytes read at a time
Say = Callable[[str], None]
OnBytes = Callable[[int], None]  # told how many bytes of a file are over there


def unsaid(_text: str) -> None:
    """Ignore the message."""


class Refused(Exception):
    """The server rejected the request; the message says why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unreachable(Exception):
    """There was no response; a later attempt may succeed."""


class Changed(Exception):
    """The file has changed since it was hashed. The message says what remains on the server."""


@dataclass(frozen=True)
class JobOptions:
    """Job options. `speakers`: auto, none, a number, or a range such as 2-4."""

    model: str = ""  # empty: the installation's usual one
    language: str = ""  # empty: detect
    speakers: str = "auto"
    use_remote: bool = False

    def counts(self) -> dict[str, Any]:
        """Return the speaker options in the format of the API."""
        low, is_range, high = self.speakers.partition("-")
        if is_range:
            return {"speakers": "between", "minSpeakers": int(low), "maxSpeakers": int(high)}
        if low.isdigit():
            return {"speakers": "exact", "numSpeakers": int(low)}
        return {"speakers": self.speakers}


@dataclass(frozen=True)
class Source:
    """A local file as of when it was read; `relative` is its path for display and export."""

    path: Path
    relative: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RemoteFile:
    """A file in the session."""

    id: str
    name: str
    folder: str
    size: int
    sha256: str
    is_new: bool  # no job has it

    @property
    def relative(self) -> str:
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True)
class FileState:
    """Status of one file in a job."""

    id: str
    upload: str
    name: str
    status: str
    stage: str
    words: str
    percent: float
    eta_seconds: float | None
    error: str

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        error = row["error"]
        return cls(
            id=row["id"],
            upload=row["uploadId"],
            name=row["name"],
            status=row["status"],
            stage=row["stage"],
            words=row["statusText"],
            percent=row["percent"],
            eta_seconds=row["etaSeconds"],
            error=f"{error['sentence']} {error['hint']} ({error['code']})" if error else "",
        )

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True)
class JobState:
    """Status of a job."""

    id: str
    number: int
    model: str
    language: str
    speakers: str
    runs_on: str
    words: str
    files: tuple[FileState, ...]

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            id=row["id"],
            number=row["number"],
            model=row["model"],
            language=row["language"],
            speakers=row["speakers"],
            runs_on=row["runsOn"],
            words=row["statusText"],
            files=tuple(FileState.read(entry) for entry in row["inputs"]),
        )

    @property
    def has_ended(self) -> bool:
        return all(file.has_ended for file in self.files)

    def suits(self, job_options: JobOptions) -> bool:
        """Return whether the job matches the options; where it runs does not affect the transcript."""
        is_model = not job_options.model or job_options.model == self.model
        return is_model and (job_options.language, job_options.speakers) == (self.language, self.speakers)


class Client(Protocol):
    """A server as used by one person. All methods may raise Refused and Unreachable."""

    def open_session(self, name: str, *, make: bool = True) -> str:
        """Return the id of the user's newest session with that name, creating it if necessary."""

    def address(self, session: str) -> str:
        """Return the URL of the session's page."""

    def notice(self, session: str) -> str:
        """Return why jobs would have to wait now; empty if they would not."""

    def remote_files(self, session: str) -> list[RemoteFile]:
        """Return the files of the session."""

    def send(self, session: str, source: Source, on_bytes: OnBytes, say: Say = ...) -> RemoteFile:
        """Upload a file to the session and return it. `say` reports interruptions. Raises Changed, OSError."""

    def start(self, session: str, uploads: list[str], job_options: JobOptions) -> JobState:
        """Start a job for these files."""

    def jobs(self, session: str) -> Iterable[JobState]:
        """Yield the jobs of the session, newest first. They are loaded lazily: consume no more than needed."""

    def job(self, job: str) -> JobState:
        """Return the current state of a job."""

    def cancel(self, job: str) -> None:
        """Cancel the unfinished files of a job."""

    def export(self, file: str, format: str) -> bytes:
        """Return the transcript of a file in this format."""
