from django.apps import AppConfig


class BulkTranscribeConfig(AppConfig):
    name = "bulktranscribe"

    def ready(self) -> None:
        from bulktranscribe import checks  # noqa: F401 - importing it registers it
