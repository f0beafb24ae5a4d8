"""Receiver of the signal of `jobs` that an input is complete."""

from typing import Any

from django.dispatch import receiver

from jobs.models import Result
from jobs.signals import input_completed
from review.storage import importer


@receiver(input_completed)
def create_transcript(result: Result, **kwargs: Any) -> None:
    """Runs in the transaction of the commit, so that a complete input always has its transcript."""
    importer.create_transcript(result)
