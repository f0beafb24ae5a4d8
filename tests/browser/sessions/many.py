"""A session with more files than a page shows; run inside an installation by `manage.py shell`."""

from jobs.models import Job, JobInput, Session, Sound, Upload


def fill(session: Session, files: int, number: int, failed: int) -> Job:
    """A job whose files have ended: the first `failed` of them without a transcript."""
    job = Job.objects.create(session=session, number=number, model="base", created_by=session.owner)
    for position in range(files):
        upload = Upload.objects.create(
            session=session, name=f"tape {number}-{position:03}.wav", size_bytes=10, sha256="0", is_used=True
        )
        Sound.objects.create(
            upload=upload, seconds=60.0, audible=60.0
        )  # or the file, which is not there, is named
        status = {"status": "failed", "error_code": "INPUT_UNDECODABLE"} if position < failed else {}
        usual = {"status": "canceled", "attempt_count": 0, "audio_duration": 60.0, **status}
        JobInput.objects.create(job=job, upload=upload, position=position, **usual)
    job.refresh_status()
    Session.note_change(pk=session.pk)
    return job
