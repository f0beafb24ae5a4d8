"""Files coming in, under whatever names people have given them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jobs.models import Session, Upload

SENTENCE = "Интервью. " + "ы" * 150 + " с мельником"


@pytest.mark.parametrize("url", ["/api/sessions/{}/uploads", "/sessions/{}/uploads"])
def test_a_name_with_a_sentence_for_an_extension_is_taken_and_kept(
    url: str, browser: Client, session: Session
) -> None:
    answer = browser.post(url.format(session.pk), {"files": [SimpleUploadedFile(SENTENCE, b"RIFF")]})
    assert answer.status_code < 400
    upload = Upload.objects.get()
    assert (upload.name, upload.path.read_bytes()) == (SENTENCE, b"RIFF")
