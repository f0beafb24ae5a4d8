"""The folders of an installation, made by the processes that keep something there; reading the settings makes none."""

import tempfile
from pathlib import Path

from django.conf import settings


def make_directories() -> None:
    """Make what is missing of DATA_DIR, for nobody else to read; temporary files are in it from then on."""
    broker = Path(settings.BROKER_DIR)
    for folder in (
        settings.MEDIA_DIR,
        settings.RESULTS_DIR,
        settings.INCOMING_DIR,
        settings.TEMP_DIR,
        broker / "messages",
        broker / "control",
    ):
        Path(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = str(settings.TEMP_DIR)  # uploads are renamed into MEDIA_DIR: both must be on one disk
