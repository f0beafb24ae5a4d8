"""What a worker had sent of a file before it failed: reachable while nothing came after."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from bulktranscribe.integrity import storage_audit
from jobs import batches, trash
from jobs.models import Job, JobInput
from remoteworker.attempts import results
from remoteworker.models import Attempt, StagedOutput

MARKDOWN = b"# Mill\n<script>alert(1)</script>\n"


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    for name in ("RESULTS_DIR", "TEMP_DIR"):
        setattr(settings, name, tmp_path / name)


@pytest.fixture
def failed(attempt: Attempt, job_input: JobInput, tmp_path: Path) -> JobInput:
    """A file whose worker sent two documents, one of them twice, and then failed."""
    for kind, digest, content in (
        ("markdown", "a" * 64, b"# Draft"),
        ("json", "b" * 64, b"{}"),
        ("markdown", "c" * 64, MARKDOWN),
    ):
        draft = tmp_path / f"{kind}-{digest[:1]}"
        draft.write_bytes(content)
        results.stage(attempt, str(job_input.pk), kind, draft, digest)
    results.finish(
        attempt,
        {
            "workerJobId": "w-1", "controllerJobId": str(job_input.job_id), "status": "failed", "outputs": [],
            "error": {"code": "OUT_OF_MEMORY", "message": "no memory left"},
        },
    )  # fmt: skip
    job_input.refresh_from_db()
    assert job_input.status == "failed"
    return job_input


def address(entry: JobInput, kind: str = "markdown") -> str:
    return f"/inputs/{entry.pk}/partial/{kind}"


def test_its_owner_finds_it_on_the_page_of_the_file(browser: Client, failed: JobInput) -> None:
    page = browser.get(f"/inputs/{failed.pk}/").content.decode()
    assert "Partial result" in page
    assert address(failed) in page
    assert address(failed, "json") in page
    told = browser.get(f"/api/inputs/{failed.pk}").json()["input"]["partial"]
    assert [part["url"] for part in told] == [address(failed, "json"), address(failed)]
    answer = browser.get(address(failed))
    assert b"".join(answer.streaming_content) == MARKDOWN, "the newest of its kind"  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "file-0.partial.md" in answer["Content-Disposition"]
    other = browser.get(address(failed, "json"))
    assert (b"".join(other.streaming_content), other["Content-Type"]) == (b"{}", "application/json")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["diarization-json", "nonsense"])
def test_what_never_came_is_not_found(kind: str, browser: Client, failed: JobInput) -> None:
    assert browser.get(address(failed, kind)).status_code == 404


def test_to_others_it_does_not_exist(failed: JobInput, stranger: User, client: Client) -> None:
    assert client.get(address(failed)).status_code == 302
    client.force_login(stranger)
    assert client.get(address(failed)).status_code == 404


def test_what_does_not_count_any_more_is_not_shown(browser: Client, failed: JobInput) -> None:
    assert batches.retry_input(failed, "anna")
    assert browser.get(address(failed)).status_code == 404
    assert (
        "json"
        not in browser.get(f"/inputs/{failed.pk}/").content.decode().split("facts")[1].split("</dl>")[0]
    )


def test_a_file_at_work_shows_none(browser: Client, failed: JobInput) -> None:
    JobInput.objects.update(status="running")
    assert browser.get(address(failed)).status_code == 404


def test_the_sweep_keeps_it_and_it_goes_with_its_job(
    browser: Client,
    failed: JobInput,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.ORPHAN_SECONDS = 0.0
    Attempt.objects.update(ended_at=timezone.now())
    storage_audit.sweep()
    paths = [staged.absolute_path for staged in StagedOutput.objects.all()]
    assert len(paths) == 3
    assert all(path.exists() for path in paths)
    trash.delete_job(failed.job, "anna", with_recordings=True)
    assert browser.get(address(failed)).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert trash.empty(failed.job.session)
    assert not any(path.exists() for path in paths)


def test_a_document_that_is_gone_from_the_disk_is_not_found(browser: Client, failed: JobInput) -> None:
    for staged in StagedOutput.objects.all():
        staged.absolute_path.unlink()
    assert browser.get(address(failed)).status_code == 404


def test_the_admin_sees_what_came_and_opens_only_its_own(
    failed: JobInput, person: User, client: Client, job_of: Callable[..., Job]
) -> None:
    url = f"/admin/jobs/jobinput/{failed.pk}/change/"
    client.force_login(User.objects.create_superuser("chief"))
    page = client.get(url).content.decode()
    assert "Transcript (Markdown)" in page
    assert address(failed) not in page, "admin does not make other people's recordings readable"
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client.force_login(person)
    assert address(failed) in client.get(url).content.decode()
