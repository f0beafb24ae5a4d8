"""What the command line asks of an installation: `local_client` answers in this process, `remote_client` over HTTP."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

ENDED = ("complete", "failed", "canceled")
BLOCK = 1 << 20  # bytes read at a time
Say = Callable[[str], None]
OnBytes = Callable[[int], None]  # told how many bytes of a file are over there


def unsaid(_text: str) -> None:
    """Say nothing."""


class Refused(Exception):
    """The installation says no; the message says why and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unreachable(Exception):
    """Nobody answered now; later somebody may."""


class Changed(Exception):
    """The file is no longer what it was when its digest was taken. The message says what of it stays over there."""


@dataclass(frozen=True)
class JobOptions:
    """How files shall be transcribed. `speakers`: auto, none, a number, or two as in 2-4."""

    model: str = ""  # empty: the installation's usual one
    language: str = ""  # empty: detect
    speakers: str = "auto"
    use_remote: bool = False

    def counts(self) -> dict[str, Any]:
        """Return the choice of speakers as the API has it."""
        low, is_range, high = self.speakers.partition("-")
        if is_range:
            return {"speakers": "between", "minSpeakers": int(low), "maxSpeakers": int(high)}
        if low.isdigit():
            return {"speakers": "exact", "numSpeakers": int(low)}
        return {"speakers": self.speakers}


@dataclass(frozen=True)
class Source:
    """A file of this machine as it was when it was looked at; `relative` is its path as others shall see it."""

    path: Path
    relative: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RemoteFile:
    """A file that the session has."""

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
    """Where a job stands."""

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
        """Whether it is what somebody wants who asks for this; where it runs makes no other transcript."""
        is_model = not job_options.model or job_options.model == self.model
        return is_model and (job_options.language, job_options.speakers) == (self.language, self.speakers)


class Client(Protocol):
    """An installation, as one person uses it. Every method may raise Refused and Unreachable."""

    def open_session(self, name: str, *, make: bool = True) -> str:
        """Return the id of this person's newest session of that name; make one where there is none."""

    def address(self, session: str) -> str:
        """Where people see the session."""

    def notice(self, session: str) -> str:
        """Why jobs would have to wait now; empty where they would not."""

    def remote_files(self, session: str) -> list[RemoteFile]:
        """The files that the session has."""

    def send(self, session: str, source: Source, on_bytes: OnBytes, say: Say = ...) -> RemoteFile:
        """Bring a file into the session; return it as it is there. `say` is told of breaks. Raises Changed, OSError."""

    def start(self, session: str, uploads: list[str], job_options: JobOptions) -> JobState:
        """Start a job over these files."""

    def jobs(self, session: str) -> Iterable[JobState]:
        """Every job of the session, the newest first. They are read as they are taken: take no more than is needed."""

    def job(self, job: str) -> JobState:
        """One job as it is now."""

    def cancel(self, job: str) -> None:
        """Cancel what has not ended of a job."""

    def export(self, file: str, format: str) -> bytes:
        """Return the transcript of a file in this format."""
