"""Response types of the API, built by the serializers and described in the OpenAPI document."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from jobs.statuses import InputStatus, JobStatus

Id = Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})]
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Path = Annotated[str, WithJsonSchema({"type": "string", "format": "uri-reference"})]


class Told(BaseModel):
    """An answer, built by its fields' names. What is `SkipJsonSchema` pages are told, and programs are not promised."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    def wire(self) -> dict[str, Any]:
        """Return it as it goes over the wire: what JSON has, by the names there."""
        return self.model_dump(mode="json", by_alias=True)

    def wire_bytes(self) -> bytes:
        """Return the JSON itself."""
        return self.model_dump_json(by_alias=True).encode()


class Error(Told):
    code: str
    message: str


class Refusal(Told):
    """Every response with a status of 400 or above."""

    error: Error


class FieldError(Error):
    field: str | None = None


class JobRefusal(Told):
    error: FieldError


# Sessions and files ------------------------------------------------------------------------------


class SessionRow(Told):
    id: Id
    name: str
    created_at: Moment
    touched_at: Moment
    retention_days: int | None
    uploads: int
    jobs: int


class SessionAnswer(Told):
    session: SessionRow


class SessionPage(Told):
    sessions: list[SessionRow]
    next: str | None


class SoundRow(Told):
    """Result of the audio analysis; `text` describes a problem, empty if there is none."""

    seconds: float
    codec: str
    channels: int
    problem: str
    is_silent: bool
    text: str


class Sounds(Told):
    """By upload; null if not analyzed yet."""

    sounds: dict[str, SoundRow | None]


class Upload(Told):
    id: Id
    name: str
    folder: str
    size_bytes: int
    is_new: bool
    media_url: Path
    sound: SoundRow | None


class UploadRow(Upload):
    session_id: Id
    sha256: str
    content_type: str
    created_at: Moment


class UploadAnswer(Told):
    upload: UploadRow


class UploadPage(Told):
    uploads: list[UploadRow]
    next: str | None


class RefusedUpload(Told):
    name: str
    error: Error


class Received(Told):
    uploads: list[Upload]
    refused: list[RefusedUpload]


class Twin(Told):
    id: Id
    name: str
    folder: str


class Incoming(Told):
    id: Id
    name: str
    folder: str
    size_bytes: int
    offset_bytes: int
    is_arriving: bool
    expires_at: Moment
    upload: Upload | None
    duplicate_of: Twin | None


class IncomingAnswer(Told):
    incoming: Incoming


class IncomingList(Told):
    incoming: list[Incoming]


# Jobs --------------------------------------------------------------------------------------------


class Failure(Told):
    code: str
    sentence: str
    hint: str
    message: str


class Remote(Told):
    last_error: dict[str, Any] | None


class Review(Told):
    status: str
    text: str
    doubtful: int
    reviewer: str | None


class Input(Told):
    """One file of a job."""

    id: Id
    upload_id: Id
    name: str
    folder: str
    status: InputStatus
    stage: str
    status_text: str
    percent: float
    audio_seconds: float | None
    audio_duration: float | None
    speed: float | None
    eta_seconds: float | None
    attempt: int
    attempts: int
    files_ahead: int | None
    unreachable_since: Moment | None
    given_up_at: Moment | None
    worker: str
    error: Failure | None
    remote: Remote
    can_cancel: bool
    can_retry: bool
    transcript_url: Path | None
    review: Review | None


class Event(Told):
    id: str
    at: Moment
    text: str
    actor: str
    code: str
    sentence: str
    times: int


class PartialOutput(Told):
    """A document that the worker had sent before the file failed."""

    id: str
    label: str
    url: Path


class InputOfWorker(Input):
    last_contact_at: Moment | None
    partial: SkipJsonSchema[list[PartialOutput]]


class InputAnswer(Told):
    input: InputOfWorker
    events: list[Event]


class InputPage(Told):
    inputs: list[Input]
    next: str | None


class JobHead(Told):
    id: Id
    number: int
    status: JobStatus
    status_text: str
    created_at: Moment
    ended_at: Moment | None
    model: str
    language: str
    speakers: str
    runs_on: str


class Job(JobHead):
    percent: float
    can_cancel: bool
    can_retry: bool
    inputs: list[Input]


class JobAnswer(Told):
    job: Job


class JobRow(JobHead):
    """A job with the counts of its files by status."""

    session_id: Id
    files: int
    complete: int
    failed: int
    canceled: int


class JobPage(Told):
    jobs: list[JobRow]
    next: str | None


class JobOnPage(Job):
    """A job with the files that are shown; the counts cover all files."""

    files: int
    files_text: SkipJsonSchema[str]
    failed: int
    eta_seconds: float | None
    cost: float | None


class FileTotals(Told):
    """Totals over the files of a session."""

    files: int
    seconds: float
    complete: int
    running: int
    waiting: int
    failed: int
    canceled: int
    percent: float


class Totals(FileTotals):
    active_percent: float | None
    eta_seconds: float | None
    cost: float | None


class Ended(Told):
    """A job that ended recently."""

    id: Id
    status: JobStatus
    ended_at: Moment
    files: int
    complete: int
    failed: int


class Listed(Told):
    """The current filters, and the number of files for each."""

    show: str
    q: str
    page: int
    pages: int
    found: int
    counts: dict[str, int]


class UploadCounts(Told):
    new: int
    good: int
    used: int


class Deleted(Told):
    """An item in Trash, and until when it can be restored."""

    id: Id
    kind: str
    text: str
    until: Moment


class SessionName(Told):
    id: Id
    name: str


class SessionState(Told):
    """A session as its page shows it: fifty files per page, grouped by job."""

    session: SessionName
    uploads: list[Upload]
    upload_counts: UploadCounts
    jobs: list[JobOnPage]
    listed: Annotated[Listed, Field(alias="list")]
    totals: Totals
    ends: list[Ended]
    currency: str
    deleted: list[Deleted]
    notice: str | None


# Presets -----------------------------------------------------------------------------------------


class Preset(Told):
    id: Id
    name: str
    options: dict[str, Any]


class PresetAnswer(Told):
    preset: Preset
