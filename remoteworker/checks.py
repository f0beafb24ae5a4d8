"""System checks of the worker settings, run at every start."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from gpu_worker.shared.protocol import is_trusted_transport

MODES = ("off", "optional", "required")
UPLOAD_MODES = ("pull", "push")


@register()
def check_worker_settings(**kwargs: Any) -> list[CheckMessage]:
    """Return errors that stop the start, and warnings."""
    found: list[CheckMessage] = []
    if settings.REMOTE_WORKER_MODE not in MODES:
        found.append(Error(f"REMOTE_WORKER_MODE must be one of {', '.join(MODES)}.", id="remoteworker.E001"))
    if settings.REMOTE_WORKER_UPLOAD_MODE not in UPLOAD_MODES:
        hint = "pull: the worker downloads files from CONTROLLER_BASE_URL. push: the controller sends them."
        found.append(
            Error(
                "REMOTE_WORKER_UPLOAD_MODE must be pull or push.",
                hint=hint,
                id="remoteworker.E002",
            )
        )
    if settings.REMOTE_WORKER_URL and not settings.REMOTE_WORKER_TOKEN:
        hint = "Set it to the worker's WORKER_TOKEN."
        found.append(Error("REMOTE_WORKER_TOKEN is missing.", hint=hint, id="remoteworker.E003"))
    if not settings.REMOTE_WORKER_TOKEN.isascii():
        hint = "Create a new one, for example with `openssl rand -hex 32`."
        found.append(Error("REMOTE_WORKER_TOKEN must be plain ASCII.", hint=hint, id="remoteworker.E005"))
    if settings.REMOTE_WORKER_MODE == "required" and not settings.REMOTE_WORKER_URL:
        hint = "Set it, or add a remote worker in admin."
        found.append(
            Warning(
                "REMOTE_WORKER_MODE is required but REMOTE_WORKER_URL is empty.",
                hint=hint,
                id="remoteworker.W001",
            )
        )
    return found + _periods() + _insecure()


def _periods() -> list[CheckMessage]:
    if settings.REMOTE_WORKER_POLL_SECONDS <= settings.LEASE_SECONDS / 3:
        return []
    hint = (
        "A worker must be polled several times before its lease expires. "
        "Make LEASE_SECONDS at least three times as long."
    )
    return [
        Warning(
            "REMOTE_WORKER_POLL_SECONDS is too long for LEASE_SECONDS.", hint=hint, id="remoteworker.W002"
        )
    ]


def _insecure() -> list[CheckMessage]:
    if settings.ALLOW_INSECURE_WORKER:
        return []
    hint = "Use https, or set ALLOW_INSECURE_WORKER=1 if you control the network between the controller and the worker."
    urls = [("REMOTE_WORKER_URL", url) for url in settings.REMOTE_WORKER_URL]
    if settings.REMOTE_WORKER_URL:
        urls.append(("CONTROLLER_BASE_URL", settings.CONTROLLER_BASE_URL))
    return [
        Error(f"{name}: {url} would send tokens unencrypted.", hint=hint, id="remoteworker.E004")
        for name, url in urls
        if not is_trusted_transport(url)
    ]
