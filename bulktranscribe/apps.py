from django.apps import AppConfig


class BulkTranscribeConfig(AppConfig):
    name = "bulktranscribe"

    def ready(self) -> None:
        # Importing registers the checks, and makes the Celery application the one that tasks belong to.
        from bulktranscribe import celery, checks  # noqa: F401
