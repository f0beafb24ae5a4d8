"""Preflight checks: reports problems of this machine, and what to do, before the first job is sent."""

from __future__ import annotations

import platform
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

import requests

from gpu_worker.config import Config
from gpu_worker.engine.handle import EngineState
from gpu_worker.outputs.transport import open_session
from gpu_worker.shared.protocol import CONNECT_SECONDS, VERSION
from gpu_worker.shared.units import GIGABYTE

INSTALL = "pip install -r requirements/worker.txt"
MATCHED = ("torch", "torchaudio", "pyannote.audio")  # torchaudio's import fails beside another torch
PACKAGES = ("torch", "openai-whisper", "silero-vad", "pyannote.audio", "av", "waitress")


class Check(TypedDict):
    """One thing looked at. `ok` false means that jobs will fail; the message says what to do."""

    ok: bool
    message: str


class Preflight(TypedDict):
    """The answer of GET /v1/preflight."""

    status: str
    checks: dict[str, Check]
    versions: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True)
class _Machine:
    config: Config
    engine: EngineState


def preflight(config: Config, engine: EngineState) -> Preflight:
    """Look at everything a job needs. Takes a few seconds where the controller does not answer."""
    machine = _Machine(config, engine)
    checks = {
        "gpu": _gpu(machine),
        "weights": _weights(machine),
        "disk": _disk(machine),
        "packages": _packages(),
        "decoder": _decoder(),
        "controller": _controller(machine),
        "diarization": _diarization(machine),
    }
    errors = {name: check["message"] for name, check in checks.items() if not check["ok"]}
    return Preflight(status="error" if errors else "ok", checks=checks, versions=_versions(), errors=errors)


def _gpu(machine: _Machine) -> Check:
    if not machine.engine.is_ready:
        if machine.engine.failed_starts:
            return Check(ok=False, message="The engine process cannot start. See the worker's log.")
        return Check(ok=True, message="The engine is starting. Check again in a minute.")
    if machine.engine.gpu:
        return Check(ok=True, message=f"{machine.engine.gpu_name}, CUDA {machine.engine.cuda}.")
    return Check(
        ok=True,
        message="No NVIDIA GPU is visible: jobs run slowly on the CPU. On a GPU machine, check nvidia-smi, "
        "the driver, and that the container was started with --gpus all.",
    )


def _weights(machine: _Machine) -> Check:
    model, engine = machine.config.model, machine.engine
    if engine.trouble:
        return Check(ok=False, message=engine.trouble)
    if model in engine.models:
        return Check(ok=True, message=f"WORKER_MODEL {model} is installed.")
    if engine.has_looked:
        return Check(ok=True, message=f"WORKER_MODEL {model} is loaded on demand.")
    return Check(ok=True, message=f"WORKER_MODEL {model} is being loaded. Check again in a minute.")


def _diarization(machine: _Machine) -> Check:
    engine = machine.engine
    if engine.diarization:
        return Check(ok=True, message=f"Speakers are identified by {engine.diarization}.")
    if engine.diarization_trouble:
        return Check(ok=False, message=engine.diarization_trouble)
    return Check(ok=True, message="The pipeline is being loaded. Check again in a minute.")


def _disk(machine: _Machine) -> Check:
    try:
        with tempfile.TemporaryFile(dir=machine.config.tmp_dir) as trial:
            trial.write(b"x")
    except OSError as failure:
        why = f"WORKER_TMP_DIR {machine.config.tmp_dir} is not writable ({failure.strerror})"
        return Check(ok=False, message=f"{why}: choose another folder or free up space.")
    free = shutil.disk_usage(machine.config.tmp_dir).free
    needed = 2 * machine.config.max_file_bytes  # the file, and its samples beside it
    text = f"{free / GIGABYTE:.1f} GB free in WORKER_TMP_DIR"
    if free < needed:
        wanted = f"a file of WORKER_MAX_FILE_MB needs {needed / GIGABYTE:.1f}"
        return Check(ok=False, message=f"{text}; {wanted}. Free up space.")
    return Check(ok=True, message=f"{text}.")


def _packages() -> Check:
    """torch, torchaudio and pyannote.audio are built for each other."""
    found = {}
    for name in MATCHED:
        try:
            found[name] = version(name).split("+")[0]
        except PackageNotFoundError:
            return Check(ok=False, message=f"{name} is missing: {INSTALL}.")
    told = ", ".join(f"{name} {number}" for name, number in found.items())
    if found["torch"] != found["torchaudio"]:
        return Check(ok=False, message=f"{told} are incompatible: {INSTALL}.")
    return Check(ok=True, message=f"{told}.")


def _decoder() -> Check:
    try:
        return Check(ok=True, message=f"PyAV {version('av')}.")
    except PackageNotFoundError:
        return Check(ok=False, message=f"PyAV is missing: {INSTALL}.")


def _controller(machine: _Machine) -> Check:
    address = machine.config.controller_origin
    if not address:
        return Check(
            ok=True, message="CONTROLLER_ORIGIN is not set; the first job determines the controller."
        )
    try:
        with open_session() as session:
            session.get(address, timeout=CONNECT_SECONDS, allow_redirects=False, stream=True).close()
    except requests.RequestException as failure:
        return Check(
            ok=False,
            message=f"{address} is unreachable from here ({type(failure).__name__}): "
            "check CONTROLLER_ORIGIN, the firewall, and that the controller is running.",
        )
    return Check(ok=True, message=f"{address} responds.")


def _versions() -> dict[str, str]:
    found = {"worker": VERSION, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
