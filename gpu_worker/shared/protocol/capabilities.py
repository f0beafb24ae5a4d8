"""What a worker reports about itself in the answer to GET /v1/ping, parsed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpu_worker.shared.protocol.vocabulary import PROTOCOL_VERSION
from gpu_worker.shared.units import MEGABYTE

MOST_JOBS = 1000  # at once; a worker that reports more is not believed


@dataclass(frozen=True)
class Capabilities:
    """What a worker is and accepts. The defaults stand for fields that are missing or invalid."""

    version: str = ""
    gpu: bool = False
    gpu_name: str = ""
    models: tuple[str, ...] = ()  # that it can load now; empty: unknown
    model: str = ""  # its default, if it names one
    diarization_trouble: str = ""  # why it cannot identify speakers
    max_file_mb: int | None = None
    active_jobs: int | None = None  # from any controller
    max_concurrent_jobs: int = 1
    queue_size: int = 0  # jobs that may wait in addition to those
    answers_many: bool = False  # GET /v1/jobs
    protocol_version: int | None = None

    @property
    def is_compatible(self) -> bool:
        """Whether it uses this version of the protocol. A worker that names none is accepted."""
        return self.protocol_version in (None, PROTOCOL_VERSION)

    @property
    def places(self) -> int:
        """How many files it accepts at once: those that run and the few that wait."""
        return self.max_concurrent_jobs + self.queue_size

    @property
    def is_full(self) -> bool:
        """Whether it has as many jobs as it accepts."""
        return self.active_jobs is not None and self.active_jobs >= self.places

    @property
    def max_bytes(self) -> int | None:
        """How large a file may be; None: unknown."""
        return self.max_file_mb * MEGABYTE if self.max_file_mb is not None else None

    @property
    def tells_speakers(self) -> bool:
        """Whether it can identify speakers, as far as is known."""
        return not self.diarization_trouble


def parse_capabilities(said: object) -> Capabilities:
    """Parse the answer to a ping, whatever it contains: invalid fields count as missing."""
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
