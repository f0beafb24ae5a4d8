"""System checks for missing page packages, run at every start; the pages work without them, with limitations."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def check_page_packages(**kwargs: Any) -> list[CheckMessage]:
    """Warn if npm packages for the pages are not installed."""
    folders = [Path(folder) for _prefix, folder in settings.STATICFILES_DIRS]
    missing = [str(path.relative_to(settings.NODE_MODULES)) for path in folders if not path.is_dir()]
    if not missing:
        return []
    hint = (
        "Run `make install`. Until then, uploads cannot be resumed, transcripts use the system font, and "
        "players show no waveform."
    )
    return [Warning(f"Missing in node_modules: {', '.join(missing)}.", hint=hint, id="bulktranscribe.W001")]
