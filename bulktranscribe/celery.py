"""The Celery application: `celery -A bulktranscribe worker`, `celery -A bulktranscribe beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init
from celery.worker import state

from bulktranscribe.directories import make_directories
from bulktranscribe.runtime import broker, memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")

broker.register()
app = Celery("bulktranscribe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Every message that expired is remembered as revoked: 50,000 ids, some 14 MB, which a busy or sleeping machine fills
# with late ticks. Nobody revokes tasks here, and a message that comes again expires again. By attribute and not by
# CELERY_WORKER_REVOKES_MAX: Celery's command line reads that before it imports this file.
state.revoked.maxlen = 1000


@worker_init.connect
@beat_init.connect
def prepare_directories(**_signal: Any) -> None:
    make_directories()


@worker_init.connect
def share_heaps(**_signal: Any) -> None:
    memory.share_heaps()
