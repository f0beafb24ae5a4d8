from django.apps import AppConfig


class RemoteWorkerConfig(AppConfig):
    name = "remoteworker"
    verbose_name = "Workers"

    def ready(self) -> None:
        from jobs.ports import partial_results as partial_results_port
        from jobs.ports import progress_estimates, worker_capabilities
        from remoteworker import checks, receivers  # noqa: F401 - importing them registers them
        from remoteworker.attempts import partial_results
        from remoteworker.scheduling import eta
        from remoteworker.workers import offer

        worker_capabilities.register(offer.current)
        progress_estimates.register(eta)
        partial_results_port.register(partial_results)
