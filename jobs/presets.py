"""Presets: named job options."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from jobs.api.schemas import Preset
from jobs.forms import PLAIN_OPTIONS, SPEAKER_COUNTS
from jobs.models import JobPreset

KEPT = ("model", "language", "speakers", "use_remote", *SPEAKER_COUNTS, *PLAIN_OPTIONS)
MOST = 50  # that one person may have


class TooMany(Exception):
    """The user has reached the limit for presets."""


def of(person: User) -> list[Preset]:
    """Return a user's presets by name."""
    return [_state(preset) for preset in JobPreset.objects.filter(owner=person)]


def keep(person: User, name: str, options: dict[str, Any]) -> Preset:
    """Save options as a preset, replacing one with the same name. Raises TooMany."""
    mine = JobPreset.objects.filter(owner=person)
    if mine.count() >= MOST and not mine.filter(name=name).exists():
        raise TooMany
    kept = {key: options[key] for key in KEPT if key in options}
    preset, _created = JobPreset.objects.update_or_create(owner=person, name=name, defaults={"options": kept})
    return _state(preset)


def forget(person: User, pk: UUID) -> bool:
    """Delete a preset; return False if it does not exist."""
    return bool(JobPreset.objects.filter(owner=person, pk=pk).delete()[0])


def _state(preset: JobPreset) -> Preset:
    return Preset(id=str(preset.pk), name=preset.name, options=preset.options)
