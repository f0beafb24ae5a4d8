from django.apps import AppConfig


class RemoteWorkerConfig(AppConfig):
    name = "remoteworker"
    verbose_name = "Workers"

    def ready(self) -> None:
        from jobs.ports import partial_results as partials_of_inputs
        from jobs.ports import progress_estimates as standings_of_jobs
        from jobs.ports import worker_capabilities
        from remoteworker import checks, receivers  # noqa: F401 - importing them registers them
        from remoteworker.attempts import partial_results
        from remoteworker.scheduling import eta
        from remoteworker.workers import fleet

        worker_capabilities.register(fleet.offer)
        standings_of_jobs.register(eta)
        partials_of_inputs.register(partial_results)
