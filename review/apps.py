from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = "Review"

    def ready(self) -> None:
        from jobs import reviews
        from review import progress, receivers  # noqa: F401 - importing receivers registers them

        reviews.register(progress)
