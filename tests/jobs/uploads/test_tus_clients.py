"""A client that others wrote, tuspy, over real HTTP: it uploads, breaks off, and goes on."""

import hashlib
from io import BytesIO

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from jobs.models import Session, Upload
from tests.browser.person import silence

PIECE = 100_000


NAME = "Ленты 🎙.wav"
CONTENT = silence(10)


@pytest.fixture
def tuspy(live_server: LiveServer, browser: Client, session: Session) -> TusClient:
    """tuspy as somebody who has signed in with a browser."""
    browser.get("/")
    cookies = {name: morsel.value for name, morsel in browser.cookies.items()}
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": cookies["csrftoken"],
    }
    return TusClient(f"{live_server.url}/api/sessions/{session.pk}/incoming", headers=headers)


def test_tuspy_uploads_breaks_off_and_goes_on(tuspy: TusClient) -> None:
    said = {"filename": NAME, "relativePath": f"tapes/{NAME}"}
    stream = BytesIO(CONTENT)
    first = tuspy.uploader(file_stream=stream, chunk_size=PIECE, metadata=said, upload_checksum=True)
    first.upload(stop_at=150_000)
    again = tuspy.uploader(file_stream=stream, chunk_size=PIECE, url=first.url, upload_checksum=True)
    assert again.offset == first.offset < len(CONTENT)
    again.upload()
    upload = Upload.objects.get()
    assert (upload.name, upload.folder) == (NAME, "tapes")
    assert upload.sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_tuspy_without_the_token_is_refused(tuspy: TusClient) -> None:
    del tuspy.headers["X-CSRFToken"]
    with pytest.raises(TusCommunicationError):
        tuspy.uploader(file_stream=BytesIO(CONTENT), chunk_size=PIECE).upload()
    assert not Upload.objects.exists()
