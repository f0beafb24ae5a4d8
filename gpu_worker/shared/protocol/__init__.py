"""The wire between controller and worker: the one definition that both sides use.

Requests and answers are JSON, camelCase on the wire, snake_case in code. Everything a peer may
leave out has a default here, and unknown fields are ignored, so that older and newer sides talk to
each other. `docs/protocol.md` explains the calls with examples. No torch, no Django.
"""

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
    PROTOCOL_VERSION,
    TERMINAL_STATUSES,
    CompleteMessage,
    ErrorMessage,
    InputSpec,
    JobRequest,
    JobStatus,
    JobStatusName,
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
    LANGUAGES,
    OUTPUT_CONTENT_TYPES,
    OUTPUT_TYPES,
    STAGES,
    WHISPER_MODELS,
)

SERVICE_NAME = "bulk-transcribe-worker"
VERSION = "0.1.0"
CONTROLLER_AGENT = f"bulk-transcribe-controller/{VERSION}"
WORKER_AGENT = f"bulk-transcribe-worker/{VERSION}"

__all__ = [
    "CONNECT_SECONDS",
    "CONTROLLER_AGENT",
    "ERRORS",
    "LANGUAGES",
    "MAX_ANSWER_BYTES",
    "MAX_INPUTS",
    "MAX_JOBS_ASKED",
    "MAX_OUTPUT_BYTES",
    "MAX_REQUEST_BYTES",
    "OUTPUT_CONTENT_TYPES",
    "OUTPUT_TYPES",
    "PROTOCOL_VERSION",
    "SERVICE_NAME",
    "STAGES",
    "TERMINAL_STATUSES",
    "TOTAL_SECONDS",
    "VERSION",
    "WHISPER_MODELS",
    "WORKER_AGENT",
    "CompleteMessage",
    "ErrorMessage",
    "ErrorText",
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
    "parse_complete",
    "parse_error",
    "parse_job_request",
    "parse_job_status",
    "parse_options",
    "plain",
    "read_json",
]
