from django.apps import AppConfig


class RemoteWorkerConfig(AppConfig):
    name = "remoteworker"
    verbose_name = "Workers"

    def ready(self) -> None:
        from jobs import offers
        from jobs import partials as partials_of_inputs
        from jobs import standings as standings_of_jobs
        from remoteworker import (  # noqa: F401 - importing them registers them
            checks,
            fleet,
            partials,
            receivers,
            standings,
        )

        offers.register(fleet.offer)
        standings_of_jobs.register(standings)
        partials_of_inputs.register(partials)
