"""The Celery application: `celery -A bulktranscribe worker`, `celery -A bulktranscribe beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")

app = Celery("bulktranscribe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
