from django.apps import AppConfig


class RemoteWorkerConfig(AppConfig):
    name = "remoteworker"
    verbose_name = "Workers"

    def ready(self) -> None:
        from jobs import offers
        from remoteworker import checks, fleet, receivers  # noqa: F401 - importing them registers them

        offers.register(fleet.offer)
