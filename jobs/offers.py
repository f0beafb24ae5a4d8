"""What the workers offer, as the job form needs it. `remoteworker` registers the provider: the arrow points inwards."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Offer:
    """What can be asked for now."""

    models: tuple[str, ...] = ()  # loadable at once, best first
    tells_speakers: bool = True  # false where every worker has said that it cannot
    has_toggle: bool = False  # "Run on GPU" is a choice
    notice: str = ""  # a sentence for people when jobs would have to wait


def runs_remotely(use_remote: bool) -> bool:
    """Whether a job goes to a remote worker: the mode decides, in mode optional the person."""
    mode = settings.REMOTE_WORKER_MODE
    return bool(mode == "required" or (mode == "optional" and use_remote))


_provider: Callable[[], Offer] = Offer


def register(provider: Callable[[], Offer]) -> None:
    """Name the function that answers `current`."""
    global _provider
    _provider = provider


def current() -> Offer:
    """Return what the workers offer now; asks no worker."""
    return _provider()
