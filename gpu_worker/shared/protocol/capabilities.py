"""What a worker says of itself in the answer of GET /v1/ping, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpu_worker.shared.protocol.vocabulary import PROTOCOL_VERSION
from gpu_worker.shared.units import MEGABYTE

MOST_JOBS = 1000  # at once that a worker is believed to take


@dataclass(frozen=True)
class Capabilities:
    """What a worker is and takes. The defaults stand for what it did not say, or said in a way that makes no sense."""

    version: str = ""
    gpu: bool = False
    gpu_name: str = ""
    models: tuple[str, ...] = ()  # that it can load now; empty: not known
    model: str = ""  # its own choice, where it names one
    diarization_trouble: str = ""  # why it cannot identify speakers
    max_file_mb: int | None = None
    active_jobs: int | None = None  # whoever they are from
    max_concurrent_jobs: int = 1
    queue_size: int = 0  # jobs that wait beside those
    answers_many: bool = False  # GET /v1/jobs
    protocol_version: int | None = None

    @property
    def is_compatible(self) -> bool:
        """Whether it speaks this version of the protocol. Who names none is understood."""
        return self.protocol_version in (None, PROTOCOL_VERSION)

    @property
    def places(self) -> int:
        """How many files it takes at once: those that run and the few that wait."""
        return self.max_concurrent_jobs + self.queue_size

    @property
    def is_full(self) -> bool:
        """Whether it counts as many jobs as it takes."""
        return self.active_jobs is not None and self.active_jobs >= self.places

    @property
    def max_bytes(self) -> int | None:
        """How large a file may be; None: it does not say."""
        return self.max_file_mb * MEGABYTE if self.max_file_mb is not None else None

    @property
    def tells_speakers(self) -> bool:
        """Whether it has not said that it cannot."""
        return not self.diarization_trouble


def parse_capabilities(said: object) -> Capabilities:
    """Read the answer of a ping, whatever is in it: fields that are missing or odd count as not said."""
    wire: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    models = wire.get("models")
    return Capabilities(
        version=str(wire.get("version") or ""),
        gpu=bool(wire.get("gpu")),
        gpu_name=str(wire.get("gpuName") or ""),
        models=tuple(name for name in models if isinstance(name, str)) if isinstance(models, list) else (),
        model=str(wire.get("model") or ""),
        diarization_trouble=str(wire.get("diarizationTrouble") or ""),
        max_file_mb=_whole(wire, "maxFileMB", 1),
        active_jobs=_whole(wire, "activeJobs"),
        max_concurrent_jobs=_whole(wire, "maxConcurrentJobs", 1, MOST_JOBS) or 1,
        queue_size=_whole(wire, "queueSize", 0, MOST_JOBS) or 0,
        answers_many=wire.get("answersMany") is True,
        protocol_version=_whole(wire, "protocolVersion", 1),
    )


def _whole(wire: Mapping[str, Any], name: str, low: int | None = None, high: int | None = None) -> int | None:
    value = wire.get(name)
    is_whole = isinstance(value, int) and (low is None or value >= low) and (high is None or value <= high)
    return value if is_whole else None
