"""The messages of both sides, and how they are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NotRequired, TypedDict, cast

from gpu_worker.shared.protocol.errors import ERRORS
from gpu_worker.shared.protocol.reading import (
    InvalidMessage,
    as_mapping,
    plain,
    read_flag,
    read_number,
    read_text,
    read_url,
    read_whole,
)
from gpu_worker.shared.protocol.vocabulary import (
    ACTIVE_STATUSES,
    OUTPUT_TYPES,
    PROTOCOL_VERSION,
    TERMINAL_STATUSES,
    FinalStatus,
    JobStatusName,
)

MAX_INPUTS = 100


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
    status: FinalStatus
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
    download_url: str = ""  # empty: the controller sends the file (push mode)
    sha256: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the camelCase mapping of one element of `inputs`."""
        return {camel(f.name): getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != ""}


@dataclass(frozen=True)
class JobRequest:
    """The body of POST /v1/jobs."""

    controller_job_id: str
    controller_session_hash: str
    inputs: tuple[InputSpec, ...]
    options: Options
    callback_url: str = ""  # both empty: push mode, the controller makes every connection
    outputs_upload_url: str = ""
    attempt: int | None = None
    deadline_at: str = ""

    @property
    def is_push(self) -> bool:
        """Whether the controller brings the files and fetches the outputs itself."""
        return not self.callback_url

    def to_wire(self) -> dict[str, Any]:
        """Return the body as a JSON-ready mapping."""
        addresses = {"callbackUrl": self.callback_url, "outputsUploadUrl": self.outputs_upload_url}
        return {
            "controllerJobId": self.controller_job_id,
            "controllerSessionHash": self.controller_session_hash,
            "inputs": [entry.to_wire() for entry in self.inputs],
            "options": self.options.to_wire(),
            **({} if self.is_push else addresses),
            "attempt": self.attempt,
            "deadlineAt": self.deadline_at,
            "protocolVersion": PROTOCOL_VERSION,
        }


def parse_job_request(body: object) -> JobRequest:
    """Read the body of POST /v1/jobs.

    A body that names no address of the controller at all is a push job. Raises InvalidMessage with the
    field's wire name where a required field is missing or a value has the wrong type or range.
    """
    wire = as_mapping(body, "body")
    _check_version(wire)
    is_push = _names_no_address(wire)
    raw_inputs = wire.get("inputs")
    if not isinstance(raw_inputs, list) or not 1 <= len(raw_inputs) <= MAX_INPUTS:
        raise InvalidMessage("inputs", f"must be a list of 1 to {MAX_INPUTS} files")
    inputs = tuple(_parse_input(entry, f"inputs[{i}]", is_push) for i, entry in enumerate(raw_inputs))
    if len({entry.input_id for entry in inputs}) != len(inputs):
        raise InvalidMessage("inputs", "inputId must not repeat")
    return JobRequest(
        controller_job_id=read_text(wire, "controllerJobId", limit=200),
        controller_session_hash=read_text(wire, "controllerSessionHash", default="", limit=200),
        inputs=inputs,
        options=parse_options(wire.get("options") or {}),
        callback_url="" if is_push else read_url(wire, "callbackUrl"),
        outputs_upload_url="" if is_push else read_url(wire, "outputsUploadUrl"),
        attempt=read_whole(wire, "attempt", low=1, high=2**31),
        deadline_at=read_text(wire, "deadlineAt", default="", limit=64),
    )


def parse_options(body: object) -> Options:
    """Read the `options` of a job; `diarizationEffective` wins over the plain speaker counts."""
    wire = dict(as_mapping(body, "options"))
    effective = wire.get("diarizationEffective")
    if effective is not None:
        counts = as_mapping(effective, "options.diarizationEffective")
        wire.update({key: value for key, value in counts.items() if value is not None})
    speakers = {
        name: read_whole(wire, camel(name), low=1, high=100)
        for name in ("min_speakers", "max_speakers", "num_speakers")
    }
    low, high = speakers["min_speakers"], speakers["max_speakers"]
    if low is not None and high is not None and low > high:
        raise InvalidMessage("options.minSpeakers", "must not be greater than maxSpeakers")
    task = read_text(wire, "task", default="transcribe", limit=20)
    if task not in ("transcribe", "translate"):
        raise InvalidMessage("options.task", "must be transcribe or translate")
    return Options(
        model=read_text(wire, "model", default="", limit=500),
        language=_language(wire),
        diarization_enabled=read_flag(wire, "diarizationEnabled", False),
        **speakers,
        vad_enabled=read_flag(wire, "vadEnabled", True),
        hallucination_detection=read_flag(wire, "hallucinationDetection", True),
        hallucination_sensitivity=_sensitivity(wire),
        no_speech_threshold=read_number(wire, "noSpeechThreshold", 0.6, 0.0, 1.0),
        word_timestamps=read_flag(wire, "wordTimestamps", True),
        task=task,
        initial_prompt=read_text(wire, "initialPrompt", default="", limit=10_000),
        hotwords=read_text(wire, "hotwords", default="", limit=10_000),
        temperature=read_number(wire, "temperature", 0.0, 0.0, 1.0),
        beam_size=read_whole(wire, "beamSize", low=1, high=20),
    )


def parse_job_status(body: object) -> JobStatus:
    """Read the answer of GET /v1/jobs/<id>; raises InvalidMessage where it is not one."""
    wire = as_mapping(body, "body")
    if read_text(wire, "status", limit=20) not in (*ACTIVE_STATUSES, *TERMINAL_STATUSES):
        raise InvalidMessage("status", "is not a status of this protocol")
    read_text(wire, "workerJobId", limit=200)
    progress = wire.get("progress")
    percent = progress.get("percent") if isinstance(progress, dict) else None
    if not isinstance(percent, int | float) or isinstance(percent, bool):
        raise InvalidMessage("progress.percent", "must be a number")
    return cast(JobStatus, dict(wire))


def parse_complete(body: object) -> CompleteMessage:
    """Read the body of POST /api/jobs/<id>/worker/complete; raises InvalidMessage."""
    wire = as_mapping(body, "body")
    status = read_text(wire, "status", limit=20)
    if status not in TERMINAL_STATUSES:
        raise InvalidMessage("status", "must be complete, failed or canceled")
    outputs = wire.get("outputs") or []
    if not isinstance(outputs, list):
        raise InvalidMessage("outputs", "must be a list")
    return CompleteMessage(
        workerJobId=read_text(wire, "workerJobId", limit=200),
        controllerJobId=read_text(wire, "controllerJobId", limit=200),
        status=status,
        outputs=[_parse_output(entry, f"outputs[{i}]") for i, entry in enumerate(outputs)],
        error=parse_error(wire.get("error")),
        attempt=read_whole(wire, "attempt", low=1, high=2**31),
    )


def parse_error(body: object) -> ErrorMessage | None:
    """Read an `error` field; anything but a mapping or text counts as no error."""
    if isinstance(body, str) and body:
        return ErrorMessage(code="PROCESSING_ERROR", message=plain(body[:2000]))
    if not isinstance(body, Mapping):
        return None
    code, message = body.get("code"), body.get("message")
    return ErrorMessage(
        code=code if isinstance(code, str) and code in ERRORS else "PROCESSING_ERROR",
        message=plain(message[:2000]) if isinstance(message, str) else "",
    )


def camel(name: str) -> str:
    """`download_url` → `downloadUrl`."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _check_version(wire: Mapping[str, Any]) -> None:
    """A peer that names no version is accepted."""
    version = read_whole(wire, "protocolVersion", low=1, high=1000)
    if version not in (None, PROTOCOL_VERSION):
        why = f"is {version}; this worker uses version {PROTOCOL_VERSION}"
        raise InvalidMessage("protocolVersion", why, "PROTOCOL_MISMATCH")


def _names_no_address(wire: Mapping[str, Any]) -> bool:
    files = [entry for entry in wire.get("inputs") or () if isinstance(entry, Mapping)]
    named = [wire.get("callbackUrl"), wire.get("outputsUploadUrl"), *(f.get("downloadUrl") for f in files)]
    return not any(named)


def _parse_input(body: object, name: str, is_push: bool) -> InputSpec:
    """Push mode cannot do without the size: it says when the file is there."""
    wire = as_mapping(body, name)
    if is_push and wire.get("sizeBytes") is None:
        raise InvalidMessage(f"{name}.sizeBytes", "is missing")
    size = read_whole(wire, "sizeBytes", low=0, high=2**53)
    return InputSpec(
        input_id=read_text(wire, "inputId", limit=200),
        filename=read_text(wire, "filename", default="", limit=100_000)[:255],
        content_type=read_text(wire, "contentType", default="", limit=200),
        size_bytes=size or 0,
        download_url="" if is_push else read_url(wire, "downloadUrl"),
        sha256=read_text(wire, "sha256", default="", limit=64).lower(),
    )


def _parse_output(body: object, name: str) -> OutputRef:
    wire = as_mapping(body, name)
    kind = read_text(wire, "type", limit=40)
    if kind not in OUTPUT_TYPES:
        raise InvalidMessage(f"{name}.type", f"must be one of {', '.join(OUTPUT_TYPES)}")
    return OutputRef(
        inputId=read_text(wire, "inputId", limit=200),
        filename=read_text(wire, "filename", default="", limit=1000),
        type=kind,
    )


def _language(wire: Mapping[str, Any]) -> str:
    value = read_text(wire, "language", default="", limit=40).strip().lower()
    return "" if value in ("auto", "detect") else value


def _sensitivity(wire: Mapping[str, Any]) -> float:
    """Some controllers write a word instead of a number."""
    words = {"low": 0.25, "medium": 0.5, "high": 0.75}
    value = wire.get("hallucinationSensitivity")
    if isinstance(value, str) and value in words:
        return words[value]
    return read_number(wire, "hallucinationSensitivity", 0.5, 0.0, 1.0)
