"""Analyzes each upload once: duration, and levels for the waveform."""

import logging
import time
from dataclasses import asdict

from django.db import IntegrityError, transaction

from gpu_worker.shared.decoding import Interrupted
from jobs.locks import host_lock
from jobs.media.waveform import Look, looks
from jobs.models import Session, Sound, Upload

log = logging.getLogger(__name__)
AT_A_TIME = 20.0  # seconds after which the next tick continues
SMALL_BYTES = 32_000_000  # such files are looked at together: starting a child takes longer than reading one
TOGETHER = 20


def look_at_new() -> int:
    """Analyze new uploads, newest first; return how many. Only one process at a time."""
    looked = 0
    with host_lock("sounds") as is_mine:
        end = time.monotonic() + AT_A_TIME
        while is_mine and time.monotonic() < end and (some := _next()):
            try:
                for upload, found in zip(some, looks([upload.path for upload in some]), strict=True):
                    _note(upload, found)
                    looked += 1
            except Interrupted:
                break
    return looked


def _next() -> list[Upload]:
    """Return the newest upload to analyze; if it is small, together with other small ones of its session."""
    waiting = Upload.objects.filter(sound=None, deleted_at=None).order_by("-created_at")
    first = waiting.first()
    if first is None or first.size_bytes > SMALL_BYTES:
        return [first] if first else []
    return list(waiting.filter(session=first.session_id, size_bytes__lte=SMALL_BYTES)[:TOGETHER])


def _note(upload: Upload, found: Look) -> None:
    """Store the analysis of an upload, unless it was deleted meanwhile."""
    try:
        with transaction.atomic():
            if not Upload.objects.filter(pk=upload.pk).exists():
                return
            Sound.objects.update_or_create(upload=upload, defaults=asdict(found))
            Session.note_change(pk=upload.session_id)
    except IntegrityError:  # it went in between
        return
    log.info(
        "sound", extra={"upload": str(upload.pk), "seconds": round(found.seconds), "problem": found.problem}
    )
