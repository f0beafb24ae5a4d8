"""Playable copies of recordings that browsers cannot play, or of which they play another track; created once."""

import logging
import uuid
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gpu_worker.shared.decoding import Interrupted
from jobs import storage
from jobs.locks import host_lock
from jobs.media.transcode import BYTES_A_SECOND, Copy, copy
from jobs.models import PlayableCopy, Upload
from jobs.uploads import ingest

log = logging.getLogger(__name__)
# What Chrome, Firefox and Safari all play, by FFmpeg's names: codecs by container. Not among them, for one: ALAC and
# AIFF (Safari's alone), AMR (phones' 3gp), AC-3, E-AC-3, DTS (patents), WMA (Microsoft's), A-law, µ-law, ADPCM and
# GSM in WAV (telephone systems; not everywhere), Speex, AAC in Matroska (Chrome's alone), PCM in MOV (cameras).
PLAYED = {
    "aac": {"aac"},
    "flac": {"flac"},
    "matroska": {"opus", "vorbis"},  # WebM
    "mov": {"aac", "mp3"},  # MP4, M4A
    "mp3": {"mp3"},
    "ogg": {"flac", "opus", "vorbis"},
    "wav": {"pcm_f32le", "pcm_s16le", "pcm_s24le", "pcm_u8"},
}


def plays_everywhere(container: str, codec: str, track: int = 0) -> bool:
    """Return whether all browsers play this; `container` is FFmpeg's name, empty if unknown.

    Of several audio tracks, browsers play the first and offer no choice.
    """
    if track:
        return False
    if not container:
        return any(codec in codecs for codecs in PLAYED.values())
    return codec in PLAYED.get(container.split(",")[0], ())


def copy_of(upload: Upload) -> PlayableCopy | None:
    """Return the copy to play instead of the upload, if there is one."""
    return PlayableCopy.objects.filter(upload=upload, size_bytes__gt=0).first()


def make_missing() -> int:
    """Create missing copies, newest upload first; return how many. Only one process at a time."""
    made = 0
    with host_lock("playable") as is_mine:
        while is_mine and (upload := _next()):
            try:
                made += make(upload)
            except (Interrupted, OSError, ingest.UploadRefused) as later:  # a stop, a full disk
                log.info("copy put off", extra={"upload": str(upload.pk), "why": type(later).__name__})
                break
    return made


def make(upload: Upload) -> bool:
    """Create the copy of an upload, or record that none can be created; return whether it exists.

    Raises Interrupted, UploadRefused where the disk is full.
    """
    ingest.check_disk(int(upload.sound.seconds * BYTES_A_SECOND))
    draft = Path(settings.TEMP_DIR) / f"playable-{uuid.uuid4().hex}"
    try:
        made = copy(upload.path, draft)
        if made.problem == "disk_full":
            raise ingest.disk_full()
        return _keep(upload, draft, made)
    finally:
        draft.unlink(missing_ok=True)


def _next() -> Upload | None:
    """Return the newest upload that needs a copy and has none."""
    waiting: QuerySet[Upload] = Upload.objects.filter(playable=None, sound__problem="").order_by(
        "-created_at"
    )
    parts = ("sound__container", "sound__codec", "sound__track")
    for kind in waiting.order_by().values_list(*parts).distinct():
        if not plays_everywhere(*kind):
            return waiting.filter(**dict(zip(parts, kind, strict=True))).select_related("sound").first()
    return None


def _keep(upload: Upload, draft: Path, made: Copy) -> bool:
    entry = PlayableCopy(upload=upload, size_bytes=made.size_bytes, sha256=made.sha256)
    entry.path.unlink(missing_ok=True)  # of a process that was killed before it could note it
    try:
        if made.size_bytes:
            storage.keep(draft, entry.path)
        with transaction.atomic():
            if not Upload.objects.filter(pk=upload.pk).exists():
                raise IntegrityError
            entry.save(force_insert=True)
    except IntegrityError:  # it went away meanwhile
        entry.path.unlink(missing_ok=True)
        return False
    log.info("playable copy", extra={"upload": str(upload.pk), "bytes": made.size_bytes})
    return bool(made.size_bytes)
