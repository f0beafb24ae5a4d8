"""File sizes on pages."""

import pytest

from jobs.pages.sizes import file_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0\xa0bytes"),
        (1, "1\xa0byte"),
        (999, "999\xa0bytes"),
        (1000, "1.0\xa0KB"),
        (10**6, "1.0\xa0MB"),
        (2_260_000_000, "2.3\xa0GB"),
        (10**15, "1000.0\xa0TB"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_size_is_written_for_people(size: object, text: str) -> None:
    assert file_size(size) == text
