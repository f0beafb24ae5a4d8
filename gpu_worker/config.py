"""The worker's settings, read once from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gpu_worker.shared.protocol import origin
from gpu_worker.shared.units import MEGABYTE

DIARIZATION_DEVICES = ("auto", "cuda", "cpu")


class BadConfig(ValueError):
    """An invalid setting; the message is one sentence for users."""


@dataclass(frozen=True)
class EngineParts:
    """The two parts of a speech engine, each as module:Class; `diarizer` is empty if there is none."""

    recognizer: str
    diarizer: str = ""


# The shorthands of WORKER_ENGINE.
ENGINES = {
    "reference": EngineParts(
        "gpu_worker.asr.openai_whisper:OpenAIWhisper", "gpu_worker.diarization.pipeline:PyannoteDiarizer"
    ),
    "rehearsal": EngineParts(
        "gpu_worker.asr.rehearsal:Rehearsal", "gpu_worker.asr.rehearsal:RehearsalDiarizer"
    ),
}


@dataclass(frozen=True)
class Config:
    """The configuration of a worker. Sizes are in bytes if the name says so."""

    token: str
    previous_token: str  # accepted beside `token` while tokens are changed, or empty
    host: str
    port: int
    tmp_dir: Path
    state_dir: Path
    cache_dir: Path
    max_file_mb: int
    max_concurrent_jobs: int
    queue_size: int
    model: str
    controller_origin: str  # scheme://host:port, or empty
    allow_insecure: bool
    hf_token: str
    diarization_pipeline: str  # a name on the hub, a local folder, or empty for the default
    diarization_device: str
    engine_name: str  # as WORKER_ENGINE has it
    engine: str  # module:Class of what recognizes speech
    diarizer: str  # module:Class of what tells speakers apart, or empty
    rehearsal_speed: float  # audio seconds that the rehearsal engine takes through a second

    @property
    def tokens(self) -> tuple[str, str]:
        """Return the accepted tokens, the current one first; the second may be empty."""
        return self.token, self.previous_token

    @property
    def is_rehearsal(self) -> bool:
        """Return whether the rehearsal engine is used."""
        return self.engine == ENGINES["rehearsal"].recognizer

    @property
    def max_file_bytes(self) -> int:
        """Return the size limit for files."""
        return self.max_file_mb * MEGABYTE

    @property
    def capacity(self) -> int:
        """Return the maximum number of running and queued jobs; further ones get a 429."""
        return self.max_concurrent_jobs + self.queue_size


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read all WORKER_… variables. Raises BadConfig."""
    token = _token(environ, "WORKER_TOKEN")
    if not token:
        raise BadConfig("WORKER_TOKEN is not set. Set it to the same secret as on the controller.")
    engine = _text(environ, "WORKER_ENGINE", "reference")
    parts = _parts(engine)
    tmp_dir = _folder(environ, "WORKER_TMP_DIR", "/tmp/bt-worker")  # noqa: S108 - its owner is checked
    return Config(
        token=token,
        previous_token=_token(environ, "WORKER_TOKEN_PREVIOUS"),
        host=_text(environ, "WORKER_HOST", "0.0.0.0"),  # noqa: S104 - a rented box is called from outside
        port=_whole(environ, "WORKER_PORT", 8477, 0, 65535),
        tmp_dir=tmp_dir,
        state_dir=_folder(environ, "WORKER_STATE_DIR", f"{tmp_dir}-state"),
        cache_dir=_folder(environ, "WORKER_CACHE_DIR", "~/.cache/bulk-transcribe"),
        max_file_mb=_whole(environ, "WORKER_MAX_FILE_MB", 2000, 1, 10**6),
        max_concurrent_jobs=_whole(environ, "WORKER_MAX_CONCURRENT_JOBS", 1, 1, 64),
        queue_size=_whole(environ, "WORKER_QUEUE_SIZE", 2, 0, 1000),
        model=_text(environ, "WORKER_MODEL", "large-v3"),
        controller_origin=_origin(environ, "CONTROLLER_ORIGIN"),
        allow_insecure=_flag(environ, "ALLOW_INSECURE_WORKER"),
        hf_token=environ.get("HF_TOKEN", "").strip(),
        diarization_pipeline=_text(environ, "DIARIZATION_PIPELINE", ""),
        diarization_device=_choice(environ, "DIARIZATION_DEVICE", DIARIZATION_DEVICES),
        engine_name=engine,
        engine=parts.recognizer,
        diarizer=parts.diarizer,
        rehearsal_speed=read_rehearsal_speed(environ),
    )


def read_rehearsal_speed(environ: Mapping[str, str] = os.environ) -> float:
    """Return audio seconds per second. Raises BadConfig."""
    text = _text(environ, "WORKER_REHEARSAL_SPEED", "20")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= 1e6:
        raise BadConfig(f"WORKER_REHEARSAL_SPEED must be a number from 0.01 to 1000000, not {text!r}.")
    return speed


def _token(environ: Mapping[str, str], name: str) -> str:
    token = environ.get(name, "").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise BadConfig(f"{name} contains characters that are not allowed in an HTTP header.")
    return token


def _parts(engine: str) -> EngineParts:
    """Parse a name from ENGINES, or module:Class of a recognizer, optionally followed by a comma and a diarizer."""
    if engine in ENGINES:
        return ENGINES[engine]
    if not re.fullmatch(r"[\w.]+:\w+(,[\w.]+:\w+)?", engine):
        raise BadConfig(f"WORKER_ENGINE must be {', '.join(ENGINES)} or module:Class, not {engine!r}.")
    recognizer, _, diarizer = engine.partition(",")
    return EngineParts(recognizer, diarizer)


def _text(environ: Mapping[str, str], name: str, default: str) -> str:
    return environ.get(name, "").strip() or default


def _folder(environ: Mapping[str, str], name: str, default: str) -> Path:
    return Path(_text(environ, name, default)).expanduser().absolute()


def _whole(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = _text(environ, name, str(default))
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise BadConfig(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = _text(environ, name, "0").lower()
    if text not in ("0", "1", "true", "false", "yes", "no", "on", "off"):
        raise BadConfig(f"{name} must be 1 or 0, not {text!r}.")
    return text in ("1", "true", "yes", "on")


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = _text(environ, name, choices[0])
    if text not in choices:
        raise BadConfig(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def _origin(environ: Mapping[str, str], name: str) -> str:
    text = _text(environ, name, "")
    if not text:
        return ""
    try:
        found = origin(text)
    except ValueError:
        found = ""
    if not text.startswith(("http://", "https://")) or "//:" in found or not found:
        raise BadConfig(f"{name} must be a URL such as https://transcribe.example.org, not {text!r}.")
    return found
