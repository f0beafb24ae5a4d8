from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = "Review"

    def ready(self) -> None:
        from jobs.ports import review_progress
        from review import progress, receivers  # noqa: F401 - importing receivers registers them

        review_progress.register(progress)
