"""The controller's half of the protocol: workers, attempts, dispatch, polling, results."""
