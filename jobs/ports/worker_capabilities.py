"""What the workers offer, as the job form needs it. `remoteworker` registers the provider: the arrow points inwards."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.conf import settings


@dataclass(frozen=True)
class Offer:
    """What can be asked for now."""

    models: tuple[str, ...] = ()  # loadable at once, best first
    tells_speakers: bool = True  # false where every worker has said that it cannot
    has_toggle: bool = False  # "Run on GPU" is a choice
    # remote or not: a sentence for people where jobs would have to wait
    notices: Mapping[bool, str] = field(default_factory=dict)

    def notice(self, toggles: Iterable[bool]) -> str:
        """Return what people are told who chose these values of the toggle."""
        said = (self.notices.get(remote, "") for remote in sorted({runs_remotely(one) for one in toggles}))
        return " ".join(filter(None, said))


def runs_remotely(use_remote: bool) -> bool:
    """Whether a job goes to a remote worker: the mode decides, in mode optional the person."""
    mode = settings.REMOTE_WORKER_MODE
    return bool(mode == "required" or (mode == "optional" and use_remote))


def lacks_gpu(use_remote: bool) -> bool:
    """Whether somebody chose "Run on GPU" where that is no choice: their job would wait for ever."""
    is_chosen = runs_remotely(use_remote) and not runs_remotely(False)
    return is_chosen and not current().has_toggle


def usual_model() -> str:
    """The model for those who name none."""
    models = current().models
    return models[0] if models else "base"


_provider: Callable[[], Offer] = Offer


def register(provider: Callable[[], Offer]) -> None:
    """Name the function that answers `current`."""
    global _provider
    _provider = provider


def current() -> Offer:
    """Return what the workers offer now; asks no worker."""
    return _provider()
