"""What the workers offer, as the job form needs it. `remoteworker` registers the provider: the arrow points inwards."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Offer:
    """What can be asked for now."""

    models: tuple[str, ...] = ()  # loadable at once, best first
    has_toggle: bool = False  # "Run on GPU" is a choice
    notice: str = ""  # a sentence for people when jobs would have to wait


_provider: Callable[[], Offer] = Offer


def register(provider: Callable[[], Offer]) -> None:
    """Name the function that answers `current`."""
    global _provider
    _provider = provider


def current() -> Offer:
    """Return what the workers offer now; asks no worker."""
    return _provider()
