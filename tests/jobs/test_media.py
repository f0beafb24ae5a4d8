"""Range requests, and what a file is served as."""

from collections.abc import Callable

import pytest
from django.test import Client

from jobs.media import RangeNotSatisfiable, content_type, parse_range
from jobs.models import Upload


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-3", (0, 3)),
        ("bytes=4-", (4, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-30", (0, 9)),
        ("bytes=5-500", (5, 9)),
        ("bytes=0-1,4-5", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("seconds=1-2", None),
        ("bytes=٣-4", None),
    ],
)
def test_one_range_is_read_and_nonsense_is_ignored(header: str, expected: tuple[int, int] | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 10)


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_the_player_gets_the_bytes_it_asks_for(browser: Client, upload_of: Callable[..., Upload]) -> None:
    upload = upload_of("mill.mp3", b"0123456789")
    url = f"/uploads/{upload.pk}/media"
    whole = browser.get(url)
    assert (whole.status_code, body(whole), whole["Accept-Ranges"]) == (200, b"0123456789", "bytes")
    part = browser.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, body(part)) == (206, b"234")
    assert (part["Content-Range"], part["Content-Length"]) == ("bytes 2-4/10", "3")
    old = browser.get(url, headers={"Range": "bytes=2-4", "If-Range": '"another"'})
    assert (old.status_code, body(old)) == (200, b"0123456789")
    same = browser.get(url, headers={"Range": "bytes=2-4", "If-Range": whole["ETag"]})
    assert (same.status_code, body(same)) == (206, b"234")
    beyond = browser.get(url, headers={"Range": "bytes=10-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */10")


def test_a_file_that_calls_itself_html_is_never_served_as_html(
    browser: Client, upload_of: Callable[..., Upload]
) -> None:
    response = browser.get(f"/uploads/{upload_of('page.html', b'<script>').pk}/media")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    body(response)


def test_types_come_from_the_name_and_a_closed_list() -> None:
    assert content_type("A Long Name.MP3") == "audio/mpeg"
    assert content_type("picture.svg") == "application/octet-stream"


def test_a_recording_that_is_gone_from_the_disk_is_a_404(
    browser: Client, upload_of: Callable[..., Upload]
) -> None:
    upload = upload_of()
    upload.path.unlink()
    assert browser.get(f"/uploads/{upload.pk}/media").status_code == 404
