"""The protocol between controller and worker: the single definition, used by both sides.

Requests and answers are JSON, camelCase on the wire, snake_case in code. Everything a peer may
leave out has a default here, and unknown fields are ignored, so that older and newer sides talk to
each other. `docs/protocol.md` explains the calls with examples. No torch, no Django.
"""

from gpu_worker.shared.protocol.capabilities import Capabilities, parse_capabilities
from gpu_worker.shared.protocol.errors import ERRORS, ErrorText
from gpu_worker.shared.protocol.limits import (
    CONNECT_SECONDS,
    MAX_ANSWER_BYTES,
    MAX_JOBS_ASKED,
    MAX_OUTPUT_BYTES,
    MAX_REQUEST_BYTES,
    TOTAL_SECONDS,
    is_trusted_transport,
    origin,
)
from gpu_worker.shared.protocol.messages import (
    MAX_INPUTS,
    CompleteMessage,
    ErrorMessage,
    InputSpec,
    JobRequest,
    JobStatus,
    Options,
    OutputRef,
    Progress,
    camel,
    parse_complete,
    parse_error,
    parse_job_request,
    parse_job_status,
    parse_options,
)
from gpu_worker.shared.protocol.reading import InvalidMessage, plain, read_json
from gpu_worker.shared.protocol.vocabulary import (
    ACTIVE_STATUSES,
    BEGUN_STAGES,
    ENGINE_STAGES,
    LANGUAGES,
    OUTPUT_CONTENT_TYPES,
    OUTPUT_TYPES,
    PREFETCH_STAGES,
    PROTOCOL_VERSION,
    STAGES,
    TERMINAL_STATUSES,
    WHISPER_MODELS,
    FinalStatus,
    JobStatusName,
)

SERVICE_NAME = "bulk-transcribe-worker"
VERSION = "0.1.0"
CONTROLLER_AGENT = f"bulk-transcribe-controller/{VERSION}"
WORKER_AGENT = f"bulk-transcribe-worker/{VERSION}"

__all__ = [
    "ACTIVE_STATUSES",
    "BEGUN_STAGES",
    "CONNECT_SECONDS",
    "CONTROLLER_AGENT",
    "ENGINE_STAGES",
    "ERRORS",
    "LANGUAGES",
    "MAX_ANSWER_BYTES",
    "MAX_INPUTS",
    "MAX_JOBS_ASKED",
    "MAX_OUTPUT_BYTES",
    "MAX_REQUEST_BYTES",
    "OUTPUT_CONTENT_TYPES",
    "OUTPUT_TYPES",
    "PREFETCH_STAGES",
    "PROTOCOL_VERSION",
    "SERVICE_NAME",
    "STAGES",
    "TERMINAL_STATUSES",
    "TOTAL_SECONDS",
    "VERSION",
    "WHISPER_MODELS",
    "WORKER_AGENT",
    "Capabilities",
    "CompleteMessage",
    "ErrorMessage",
    "ErrorText",
    "FinalStatus",
    "InputSpec",
    "InvalidMessage",
    "JobRequest",
    "JobStatus",
    "JobStatusName",
    "Options",
    "OutputRef",
    "Progress",
    "camel",
    "is_trusted_transport",
    "origin",
    "parse_capabilities",
    "parse_complete",
    "parse_error",
    "parse_job_request",
    "parse_job_status",
    "parse_options",
    "plain",
    "read_json",
]
