"""Outputs that a worker sent before a file failed. `remoteworker` registers the provider."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from jobs.models import JobInput

LABELS = {
    "json": _("Transcript (JSON)"),
    "markdown": _("Transcript (Markdown)"),
    "diarization-json": _("Speakers (JSON)"),
    "speaker-markdown": _("Transcript with speakers (Markdown)"),
}


@dataclass(frozen=True)
class Part:
    """One document as sent by the worker, unvalidated."""

    kind: str  # an output type of the protocol
    path: Path

    @property
    def label(self) -> str:
        return str(LABELS.get(self.kind, self.kind))


class Provider(Protocol):
    """The registered provider."""

    def of(self, entry: JobInput) -> list[Part]: ...

    def paths(self, jobs: Iterable[UUID]) -> list[Path]: ...


class _Nobody:
    def of(self, entry: JobInput) -> list[Part]:
        return []

    def paths(self, jobs: Iterable[UUID]) -> list[Path]:
        return []


_provider: Provider = _Nobody()


def register(provider: Provider) -> None:
    """Register the provider; a module will do."""
    global _provider
    _provider = provider


def of(entry: JobInput) -> list[Part]:
    """Return the partial documents of a failed file, one per type; nothing for other files."""
    return _provider.of(entry)


def find(entry: JobInput, kind: str) -> Part | None:
    """Return the document of this type, None if there is none."""
    return next((part for part in of(entry) if part.kind == kind), None)


def paths(jobs: Iterable[UUID]) -> list[Path]:
    """Return the paths of these jobs' documents from all attempts, for permanent deletion."""
    return _provider.paths(jobs)
