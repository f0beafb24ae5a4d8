"""The Celery application: `celery -A bulktranscribe worker`, `celery -A bulktranscribe beat`."""

import os

from celery import Celery

from bulktranscribe import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")

broker.register()
app = Celery("bulktranscribe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
