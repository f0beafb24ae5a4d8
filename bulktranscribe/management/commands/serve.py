"""manage.py serve: run the web process with waitress."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from bulktranscribe.runtime import memory, streaming
from bulktranscribe.wsgi import application
from gpu_worker.shared.units import MEGABYTE

RECEIVE_BYTES = 256 * 1024  # at a time; with waitress's 8 KiB an upload is busy with calls


class Command(BaseCommand):
    help = "Serve the controller's pages and endpoints with waitress."

    def handle(self, *args: Any, **options: Any) -> None:
        memory.share_heaps()
        server = streaming.create_server(
            application,
            is_piece,
            host=settings.WEB_HOST,
            port=settings.WEB_PORT,
            threads=8,
            ident="bulk-transcribe",
            recv_bytes=RECEIVE_BYTES,
            # A whole multipart upload is one body; waitress keeps it on disk, in TEMP_DIR.
            max_request_body_size=settings.MAX_UPLOAD_MB * MEGABYTE + MEGABYTE,
            channel_timeout=120,
            connection_limit=1000,
            # waitress would drop X-Forwarded-Proto; settings heed it only behind an https CONTROLLER_BASE_URL.
            clear_untrusted_proxy_headers=False,
        )
        server.print_listen("Serving on http://{}:{}")
        server.run()


def is_piece(method: str, path: str) -> bool:
    """Return whether a request uploads a chunk of a file."""
    return method == "PATCH" and path.startswith("/api/incoming/")
