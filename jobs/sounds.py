"""Each upload is looked at once: how long it is, and how loud from beginning to end, for the player to draw."""

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from jobs.levels import Interrupted, look
from jobs.models import Sound, Upload

log = logging.getLogger(__name__)
AT_A_TIME = 20.0  # seconds after which the next tick goes on


def look_at_new() -> int:
    """Look at uploads that nobody has looked at, the newest first; return how many. One process does it at a time."""
    looked = 0
    with _alone() as is_mine:
        end = time.monotonic() + AT_A_TIME
        while is_mine and time.monotonic() < end:
            upload = Upload.objects.filter(sound=None).order_by("-created_at").first()
            if upload is None:
                break
            try:
                look_at(upload)
            except Interrupted:
                break
            looked += 1
    return looked


def look_at(upload: Upload) -> None:
    """Note what the upload's bytes hold. One that went away meanwhile is left out. Raises Interrupted."""
    found = look(upload.path)
    try:
        with transaction.atomic():
            if not Upload.objects.filter(pk=upload.pk).exists():
                return
            Sound.objects.update_or_create(upload=upload, defaults=asdict(found))
    except IntegrityError:  # it went in between
        return
    log.info(
        "sound", extra={"upload": str(upload.pk), "seconds": round(found.seconds), "problem": found.problem}
    )


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else on this host looks now."""
    with (Path(settings.DATA_DIR) / "sounds.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
