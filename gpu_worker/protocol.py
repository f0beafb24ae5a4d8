"""The wire between controller and worker: the one definition that both sides use.

Requests and answers are JSON, camelCase on the wire, snake_case in code. Everything a peer may
leave out has a default here, and unknown fields are ignored, so that older and newer sides talk to
each other. `docs/protocol.md` explains the calls with examples. No torch, no Django.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NotRequired, TypedDict, cast
from urllib.parse import urlsplit

PROTOCOL_VERSION = 1
SERVICE_NAME = "bulk-transcribe-worker"
VERSION = "0.1.0"
CONTROLLER_AGENT = f"bulk-transcribe-controller/{VERSION}"
WORKER_AGENT = f"bulk-transcribe-worker/{VERSION}"

MAX_REQUEST_BYTES = 1024 * 1024
MAX_ANSWER_BYTES = 256 * 1024
CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 8.0
MAX_INPUTS = 100

JobStatusName = Literal["queued", "running", "complete", "failed", "canceled"]
TERMINAL_STATUSES: frozenset[str] = frozenset({"complete", "failed", "canceled"})
STAGES = (
    "queued",
    "downloading",
    "decoding",
    "loading_model",
    "transcribing",
    "diarizing",
    "uploading",
    "complete",
)

OUTPUT_TYPES = ("json", "markdown", "diarization-json", "speaker-markdown")
OUTPUT_CONTENT_TYPES = {
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
    "diarization-json": "application/json",
    "speaker-markdown": "text/markdown; charset=utf-8",
}

# Every name that openai-whisper can load; the worker's tests compare it with the package.
WHISPER_MODELS = (
    "tiny.en",
    "tiny",
    "base.en",
    "base",
    "small.en",
    "small",
    "medium.en",
    "medium",
    "large-v1",
    "large-v2",
    "large-v3",
    "large",
    "large-v3-turbo",
    "turbo",
)


@dataclass(frozen=True)
class ErrorText:
    """What a person reads: one sentence of what happened and one of what to do."""

    sentence: str
    hint: str


# The closed list of failure codes, of both services.
ERRORS: dict[str, ErrorText] = {
    "INPUT_UNDECODABLE": ErrorText(
        "This file has no sound that can be read.",
        "Check that it plays on your computer, convert it to WAV, MP3, M4A or FLAC and upload it again.",
    ),
    "INPUT_TOO_LARGE": ErrorText(
        "This file is larger than the worker accepts.",
        "Raise WORKER_MAX_FILE_MB on the worker, or split the recording.",
    ),
    "INPUT_TOO_LONG": ErrorText(
        "This recording is longer than 12 hours.", "Split the recording and upload the parts."
    ),
    "CHECKSUM_MISMATCH": ErrorText(
        "The file arrived at the worker damaged, twice.",
        "Retry. If it happens again, look at the network between controller and worker.",
    ),
    "DOWNLOAD_FAILED": ErrorText(
        "The worker could not fetch the file from the controller.",
        "Check that CONTROLLER_BASE_URL is an address that the worker can reach, then retry.",
    ),
    "MODEL_UNAVAILABLE": ErrorText(
        "The worker does not have this speech model and could not download it.",
        "Choose a model that the worker offers, or put the model file into its model folder, then retry.",
    ),
    "DIARIZATION_UNAVAILABLE": ErrorText(
        "This worker cannot tell speakers apart.",
        "Turn speaker detection off, or install its weights on the worker, then retry.",
    ),
    "OUT_OF_MEMORY": ErrorText(
        "The worker ran out of memory.", "Choose a smaller model or a larger machine, then retry."
    ),
    "ENGINE_CRASHED": ErrorText(
        "The transcription process on the worker stopped unexpectedly.",
        "Retry. If it happens again with the same file, the worker's log says why.",
    ),
    "WORKER_DISK_FULL": ErrorText(
        "The worker has no free disk space.", "Free space in WORKER_TMP_DIR on the worker, then retry."
    ),
    "CANCELED": ErrorText("Canceled.", "Retry starts it again."),
    "PROCESSING_ERROR": ErrorText(
        "The worker met an unexpected error.", "Retry. The worker's log has the details."
    ),
    "INVALID_REQUEST": ErrorText(
        "The worker did not understand the job.", "Update the worker and the controller to the same version."
    ),
    "UNKNOWN_MODEL": ErrorText("There is no speech model of this name.", "Choose a model from the list."),
    "ORIGIN_REFUSED": ErrorText(
        "The worker serves another controller.",
        "Set CONTROLLER_ORIGIN on the worker to this controller's address, or restart the worker.",
    ),
    "REMOTE_JOB_NOT_FOUND": ErrorText(
        "Remote worker restarted or job expired; please retry.",
        "Nothing is lost: the recording is still here. Retry sends it again.",
    ),
    "REMOTE_REFUSED": ErrorText(
        "The worker refused this job.", "The details say why; change the job's options and retry."
    ),
    "REMOTE_AUTH_FAILED": ErrorText(
        "The worker does not accept the controller's token.",
        "Set the same token on both sides (REMOTE_WORKER_TOKEN and WORKER_TOKEN), then retry.",
    ),
    "REMOTE_DISPATCH_TIMEOUT": ErrorText(
        "The worker did not answer when the file was handed over.",
        "Check that the worker is running and reachable, then retry.",
    ),
    "REMOTE_LEASE_EXPIRED": ErrorText(
        "The worker could no longer be reached.", "Check the machine and its network, then retry."
    ),
    "REMOTE_TIMEOUT": ErrorText(
        "The transcription took longer than allowed.",
        "Raise REMOTE_WORKER_TIMEOUT_SECONDS or use a faster worker, then retry.",
    ),
    "REMOTE_OUTPUTS_MISSING": ErrorText(
        "The worker finished but its transcript did not arrive.",
        "Check that the worker can reach CONTROLLER_BASE_URL, then retry.",
    ),
    "UPLOAD_MISSING": ErrorText(
        "The recording is no longer on the controller's disk.", "Upload the file again."
    ),
    "RESULT_UNREADABLE": ErrorText(
        "The worker sent a transcript that cannot be read.",
        "Update the worker and the controller to the same version, then retry.",
    ),
}


class InvalidMessage(ValueError):
    """A message that does not follow the protocol; names the field and says what is wrong."""

    def __init__(self, field_name: str, why: str, code: str = "INVALID_REQUEST") -> None:
        super().__init__(f"{field_name}: {why}")
        self.field_name = field_name
        self.code = code


class ErrorMessage(TypedDict):
    """Why something failed, as both sides write it."""

    code: str
    message: str


class Progress(TypedDict):
    """How far a worker job is. `percent` 0-100 never falls; times in seconds."""

    percent: float
    currentFileIndex: int
    totalFiles: int
    currentFile: str
    audioSeconds: NotRequired[float]
    audioDuration: NotRequired[float | None]
    speed: NotRequired[float | None]
    etaSeconds: NotRequired[float | None]


class OutputRef(TypedDict):
    """One output as `complete` lists it."""

    inputId: str
    filename: str
    type: str


class JobStatus(TypedDict):
    """The answer of GET /v1/jobs/<id>."""

    workerJobId: str
    controllerJobId: str
    status: JobStatusName
    stage: str
    stageStartedAt: str
    progress: Progress
    logs: list[str]
    error: ErrorMessage | None
    gpu: bool
    attempt: NotRequired[int | None]
    bootId: NotRequired[str]
    outputs: NotRequired[list[OutputRef]]


class CompleteMessage(TypedDict):
    """The body of POST /api/jobs/<id>/worker/complete."""

    workerJobId: str
    controllerJobId: str
    status: Literal["complete", "failed", "canceled"]
    outputs: list[OutputRef]
    error: ErrorMessage | None
    attempt: NotRequired[int | None]


@dataclass(frozen=True)
class Options:
    """What the user asked for. Field order and defaults are the protocol's."""

    model: str = ""  # empty: the worker's own WORKER_MODEL
    language: str = ""  # empty: detect
    diarization_enabled: bool = False
    min_speakers: int | None = None
    max_speakers: int | None = None
    num_speakers: int | None = None
    vad_enabled: bool = True
    hallucination_detection: bool = True
    hallucination_sensitivity: float = 0.5
    no_speech_threshold: float = 0.6
    word_timestamps: bool = True
    task: str = "transcribe"
    initial_prompt: str = ""
    hotwords: str = ""
    temperature: float = 0.0
    beam_size: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the camelCase mapping that POST /v1/jobs carries."""
        wire: dict[str, Any] = {camel(f.name): getattr(self, f.name) for f in fields(self)}
        wire["language"] = self.language or None
        wire["diarizationEffective"] = {
            key: wire[key] for key in ("minSpeakers", "maxSpeakers", "numSpeakers")
        }
        return wire


@dataclass(frozen=True)
class InputSpec:
    """One file of a worker job. `filename` is display text only and names nothing on disk."""

    input_id: str
    filename: str
    content_type: str
    size_bytes: int
    download_url: str
    sha256: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the camelCase mapping of one element of `inputs`."""
        return {camel(f.name): getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True)
class JobRequest:
    """The body of POST /v1/jobs."""

    controller_job_id: str
    controller_session_hash: str
    inputs: tuple[InputSpec, ...]
    options: Options
    callback_url: str
    outputs_upload_url: str
    attempt: int | None = None
    deadline_at: str = ""
    protocol_version: int = field(default=PROTOCOL_VERSION)

    def to_wire(self) -> dict[str, Any]:
        """Return the body as a JSON-ready mapping."""
        return {
            "controllerJobId": self.controller_job_id,
            "controllerSessionHash": self.controller_session_hash,
            "inputs": [entry.to_wire() for entry in self.inputs],
            "options": self.options.to_wire(),
            "callbackUrl": self.callback_url,
            "outputsUploadUrl": self.outputs_upload_url,
            "attempt": self.attempt,
            "deadlineAt": self.deadline_at,
            "protocolVersion": self.protocol_version,
        }


def parse_job_request(body: object) -> JobRequest:
    """Read the body of POST /v1/jobs.

    Raises InvalidMessage with the field's wire name where a required field is missing or a value has
    the wrong type or range.
    """
    wire = _mapping(body, "body")
    raw_inputs = wire.get("inputs")
    if not isinstance(raw_inputs, list) or not 1 <= len(raw_inputs) <= MAX_INPUTS:
        raise InvalidMessage("inputs", f"must be a list of 1 to {MAX_INPUTS} files")
    inputs = tuple(_parse_input(entry, f"inputs[{i}]") for i, entry in enumerate(raw_inputs))
    if len({entry.input_id for entry in inputs}) != len(inputs):
        raise InvalidMessage("inputs", "inputId must not repeat")
    return JobRequest(
        controller_job_id=_text(wire, "controllerJobId", limit=200),
        controller_session_hash=_text(wire, "controllerSessionHash", default="", limit=200),
        inputs=inputs,
        options=parse_options(wire.get("options") or {}),
        callback_url=_url(wire, "callbackUrl"),
        outputs_upload_url=_url(wire, "outputsUploadUrl"),
        attempt=_whole(wire, "attempt", low=1, high=2**31),
        deadline_at=_text(wire, "deadlineAt", default="", limit=64),
        protocol_version=_whole(wire, "protocolVersion", low=1, high=1000) or PROTOCOL_VERSION,
    )


def parse_options(body: object) -> Options:
    """Read the `options` of a job; `diarizationEffective` wins over the plain speaker counts."""
    wire = dict(_mapping(body, "options"))
    effective = wire.get("diarizationEffective")
    if effective is not None:
        counts = _mapping(effective, "options.diarizationEffective")
        wire.update({key: value for key, value in counts.items() if value is not None})
    speakers = {
        name: _whole(wire, camel(name), low=1, high=100)
        for name in ("min_speakers", "max_speakers", "num_speakers")
    }
    low, high = speakers["min_speakers"], speakers["max_speakers"]
    if low is not None and high is not None and low > high:
        raise InvalidMessage("options.minSpeakers", "must not be greater than maxSpeakers")
    task = _text(wire, "task", default="transcribe", limit=20)
    if task not in ("transcribe", "translate"):
        raise InvalidMessage("options.task", "must be transcribe or translate")
    return Options(
        model=_text(wire, "model", default="", limit=500),
        language=_language(wire),
        diarization_enabled=_flag(wire, "diarizationEnabled", False),
        **speakers,
        vad_enabled=_flag(wire, "vadEnabled", True),
        hallucination_detection=_flag(wire, "hallucinationDetection", True),
        hallucination_sensitivity=_sensitivity(wire),
        no_speech_threshold=_number(wire, "noSpeechThreshold", 0.6, 0.0, 1.0),
        word_timestamps=_flag(wire, "wordTimestamps", True),
        task=task,
        initial_prompt=_text(wire, "initialPrompt", default="", limit=10_000),
        hotwords=_text(wire, "hotwords", default="", limit=10_000),
        temperature=_number(wire, "temperature", 0.0, 0.0, 1.0),
        beam_size=_whole(wire, "beamSize", low=1, high=20),
    )


def parse_job_status(body: object) -> JobStatus:
    """Read the answer of GET /v1/jobs/<id>; raises InvalidMessage where it is not one."""
    wire = _mapping(body, "body")
    if wire.get("status") not in {"queued", "running"} | TERMINAL_STATUSES:
        raise InvalidMessage("status", "is not a status of this protocol")
    _text(wire, "workerJobId", limit=200)
    progress = wire.get("progress")
    percent = progress.get("percent") if isinstance(progress, dict) else None
    if not isinstance(percent, int | float) or isinstance(percent, bool):
        raise InvalidMessage("progress.percent", "must be a number")
    return cast(JobStatus, dict(wire))


def parse_complete(body: object) -> CompleteMessage:
    """Read the body of POST /api/jobs/<id>/worker/complete; raises InvalidMessage."""
    wire = _mapping(body, "body")
    if wire.get("status") not in TERMINAL_STATUSES:
        raise InvalidMessage("status", "must be complete, failed or canceled")
    outputs = wire.get("outputs") or []
    if not isinstance(outputs, list):
        raise InvalidMessage("outputs", "must be a list")
    return CompleteMessage(
        workerJobId=_text(wire, "workerJobId", limit=200),
        controllerJobId=_text(wire, "controllerJobId", limit=200),
        status=wire["status"],
        outputs=[_parse_output(entry, f"outputs[{i}]") for i, entry in enumerate(outputs)],
        error=parse_error(wire.get("error")),
        attempt=_whole(wire, "attempt", low=1, high=2**31),
    )


def parse_error(body: object) -> ErrorMessage | None:
    """Read an `error` field; anything but a mapping or text counts as no error."""
    if isinstance(body, str) and body:
        return ErrorMessage(code="PROCESSING_ERROR", message=body[:2000].replace("\0", ""))
    if not isinstance(body, Mapping):
        return None
    code, message = body.get("code"), body.get("message")
    return ErrorMessage(
        code=code if isinstance(code, str) and code in ERRORS else "PROCESSING_ERROR",
        message=message[:2000].replace("\0", "") if isinstance(message, str) else "",
    )


def camel(name: str) -> str:
    """`download_url` → `downloadUrl`."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def origin(url: str) -> str:
    """Return scheme://host:port of a URL, with the port always written."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_trusted_transport(url: str) -> bool:
    """Whether a token may travel to this URL: https, loopback, or a name without dots (compose)."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    if parts.scheme != "http" or not parts.hostname:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost" or "." not in parts.hostname


def _parse_input(body: object, name: str) -> InputSpec:
    wire = _mapping(body, name)
    size = _whole(wire, "sizeBytes", low=0, high=2**53)
    return InputSpec(
        input_id=_text(wire, "inputId", limit=200),
        filename=_text(wire, "filename", default="", limit=100_000)[:255],
        content_type=_text(wire, "contentType", default="", limit=200),
        size_bytes=size or 0,
        download_url=_url(wire, "downloadUrl"),
        sha256=_text(wire, "sha256", default="", limit=64).lower(),
    )


def _parse_output(body: object, name: str) -> OutputRef:
    wire = _mapping(body, name)
    kind = _text(wire, "type", limit=40)
    if kind not in OUTPUT_TYPES:
        raise InvalidMessage(f"{name}.type", f"must be one of {', '.join(OUTPUT_TYPES)}")
    return OutputRef(
        inputId=_text(wire, "inputId", limit=200),
        filename=_text(wire, "filename", default="", limit=1000),
        type=kind,
    )


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidMessage(name, "must be a JSON object")
    return value


def _text(wire: Mapping[str, Any], name: str, default: str | None = None, limit: int = 1000) -> str:
    value = wire.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (not value and default is None):
        raise InvalidMessage(name, "must be text")
    if len(value) > limit:
        raise InvalidMessage(name, f"must have at most {limit} characters")
    if "\0" in value:
        raise InvalidMessage(name, "must not contain NUL")
    return value


def _url(wire: Mapping[str, Any], name: str) -> str:
    value = _text(wire, name, limit=4000)
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise InvalidMessage(name, "must be an http or https address")
    return value


def _whole(wire: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    value = wire.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidMessage(name, f"must be a whole number from {low} to {high}")
    return value


def _number(wire: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = wire.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidMessage(name, f"must be a number from {low:g} to {high:g}")
    return float(value)


def _flag(wire: Mapping[str, Any], name: str, default: bool) -> bool:
    value = wire.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise InvalidMessage(name, "must be true or false")
    return value


def _language(wire: Mapping[str, Any]) -> str:
    value = _text(wire, "language", default="", limit=40).strip().lower()
    return "" if value in ("auto", "detect") else value


def _sensitivity(wire: Mapping[str, Any]) -> float:
    """Some controllers write a word instead of a number."""
    words = {"low": 0.25, "medium": 0.5, "high": 0.75}
    value = wire.get("hallucinationSensitivity")
    if isinstance(value, str) and value in words:
        return words[value]
    return _number(wire, "hallucinationSensitivity", 0.5, 0.0, 1.0)
