"""The folders of an installation, created by the processes that use them, not by reading the settings."""

import tempfile
from pathlib import Path

from django.conf import settings


def make_directories() -> None:
    """Create missing folders of DATA_DIR with private permissions, and use it for temporary files."""
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
