"""Capabilities of the workers for the job form. `remoteworker` registers the provider, since imports point inward."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings


@dataclass(frozen=True)
class Offer:
    """The options currently available."""

    models: tuple[str, ...] = ()  # loadable at once, best first
    tells_speakers: bool = True  # false where every worker has said that it cannot
    has_toggle: bool = False  # "Run on GPU" is a choice
    # remote or not: a sentence for people where jobs would have to wait
    notices: Mapping[bool, str] = field(default_factory=dict)

    def notice(self, toggles: Iterable[bool]) -> str:
        """Return the notice for users who chose these values of the toggle."""
        said = (self.notices.get(remote, "") for remote in sorted({runs_remotely(one) for one in toggles}))
        return " ".join(filter(None, said))


def runs_remotely(use_remote: bool) -> bool:
    """Return whether a job runs remotely: decided by the mode, or by the user in mode optional."""
    mode = settings.REMOTE_WORKER_MODE
    return bool(mode == "required" or (mode == "optional" and use_remote))


def lacks_gpu(use_remote: bool) -> bool:
    """Return whether "Run on GPU" was requested although it is not available: the job would wait forever."""
    is_chosen = runs_remotely(use_remote) and not runs_remotely(False)
    return is_chosen and not current().has_toggle


def usual_model() -> str:
    """Return the default model."""
    models = current().models
    return models[0] if models else "base"


_provider: Callable[[], Offer] = Offer


def register(provider: Callable[[], Offer]) -> None:
    """Register the function behind `current`."""
    global _provider
    _provider = provider


def current() -> Offer:
    """Return the current capabilities without contacting workers."""
    return _provider()
