"""Template filter for file sizes; `words.js` writes them the same way."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import ngettext

register = template.Library()
UNITS = ("KB", "MB", "GB", "TB")
STEP = 1000  # a megabyte is 1,000,000 bytes, as in the settings


@register.filter
def file_size(size: object) -> str:
    """Return a number of bytes for people; empty for anything else, as in the row that JavaScript fills."""
    if not isinstance(size, int):
        return ""
    if size < STEP:
        return ngettext("%(n)s\xa0byte", "%(n)s\xa0bytes", size) % {"n": size}
    amount, power = size / STEP, 0
    while amount >= STEP and power < len(UNITS) - 1:
        amount, power = amount / STEP, power + 1
    return f"{number_format(round(amount, 1), 1)}\xa0{UNITS[power]}"
