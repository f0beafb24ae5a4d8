"""What workers had sent of a file before it failed. `remoteworker` registers who knows."""

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
    """One document, as the worker sent it: nobody has looked into it."""

    kind: str  # an output type of the protocol
    path: Path

    @property
    def label(self) -> str:
        return str(LABELS.get(self.kind, self.kind))


class Provider(Protocol):
    """Who knows it."""

    def of(self, entry: JobInput) -> list[Part]: ...

    def paths(self, jobs: Iterable[UUID]) -> list[Path]: ...


class _Nobody:
    def of(self, entry: JobInput) -> list[Part]:
        return []

    def paths(self, jobs: Iterable[UUID]) -> list[Path]:
        return []


_provider: Provider = _Nobody()


def register(provider: Provider) -> None:
    """Name who answers; a module will do."""
    global _provider
    _provider = provider


def of(entry: JobInput) -> list[Part]:
    """Return what there is of a file that failed, one of a kind; nothing of any other."""
    return _provider.of(entry)


def find(entry: JobInput, kind: str) -> Part | None:
    """Return the document of this kind, None where there is none."""
    return next((part for part in of(entry) if part.kind == kind), None)


def paths(jobs: Iterable[UUID]) -> list[Path]:
    """Return where the documents of these jobs lie, of every try, for when the jobs go for good."""
    return _provider.paths(jobs)
