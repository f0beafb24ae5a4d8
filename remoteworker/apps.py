from django.apps import AppConfig


class RemoteWorkerConfig(AppConfig):
    name = "remoteworker"
    verbose_name = "Workers"

    def ready(self) -> None:
        from jobs import offers
        from jobs import standings as standings_of_jobs
        from remoteworker import checks, fleet, receivers, standings  # noqa: F401 - importing them registers them

        offers.register(fleet.offer)
        standings_of_jobs.register(standings.of)
