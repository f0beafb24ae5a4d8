"""The Celery application: `celery -A bulktranscribe worker`, `celery -A bulktranscribe beat`."""

import os

from celery import Celery
from celery.worker import state

from bulktranscribe import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")

broker.register()
app = Celery("bulktranscribe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Every message that expired is remembered as revoked: 50,000 ids, some 14 MB, which a busy or sleeping machine fills
# with late ticks. Nobody revokes tasks here, and a message that comes again expires again. By attribute and not by
# CELERY_WORKER_REVOKES_MAX: Celery's command line reads that before it imports this file.
state.revoked.maxlen = 1000
