"""Template filters that format numbers; `words.js` formats them the same way in the browser."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from gpu_worker.shared.protocol import LANGUAGES

register = template.Library()
RIGHT_TO_LEFT = ("ar", "fa", "he", "ps", "sd", "ur", "yi")


@register.filter
def clock(seconds: float | None) -> str:
    """`75.2` → `1:15`, `3675` → `1:01:15`, nothing → nothing."""
    if not isinstance(seconds, int | float):
        return ""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def duration(seconds: float | None) -> str:
    """`40 s`, `9 min`, `1 h 12 min`; nothing → nothing."""
    if not isinstance(seconds, int | float):
        return ""
    whole = max(0, int(seconds))
    if whole < 60:
        return _("%(s)s s") % {"s": whole}
    hours, minutes = divmod(round(whole / 60), 60)
    if not hours:
        return _("%(m)s min") % {"m": minutes}
    return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes}


@register.filter
def moment(iso: str) -> str:
    """Format an ISO date and time for the page's language, in the installation's time zone."""
    if not iso:
        return ""
    return date_format(timezone.localtime(datetime.fromisoformat(iso)), "SHORT_DATETIME_FORMAT")


@register.filter
def moment_exactly(iso: str) -> str:
    """The same to the second."""
    if not iso:
        return ""
    at = timezone.localtime(datetime.fromisoformat(iso))
    return f"{date_format(at, 'SHORT_DATE_FORMAT')} {at:%H:%M:%S}"


@register.filter
def language_name(code: str | None) -> str:
    """`en` → `English`; an unknown code stays as it is."""
    return LANGUAGES.get(code or "", code or "")


@register.filter
def direction(code: str | None) -> str:
    """`he` → `rtl`, `en` → `ltr`: which way a language is written."""
    return "rtl" if (code or "").partition("-")[0] in RIGHT_TO_LEFT else "ltr"
