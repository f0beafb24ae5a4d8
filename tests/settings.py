"""The controller's settings for tests: own folders, no variables of the person who runs them."""

import os
import tempfile

FOREIGN = (
    "DATABASE_URL", "REDIS_URL", "REMOTE_WORKER_URL", "REMOTE_WORKER_TOKEN", "REMOTE_WORKER_MODE",
    "CONTROLLER_BASE_URL", "LOCAL_WORKER_TOKEN", "LOCAL_WORKER_URL", "SECRET_KEY_FALLBACKS", "DEBUG",
    "EMAIL_URL", "EMAIL_FROM", "WEBHOOK_ALLOW_PRIVATE", "ALLOW_SIGNUP",
)  # fmt: skip
for name in FOREIGN:
    os.environ[name] = ""  # set, though empty: a developer's .env does not fill it
os.environ["SECRET_KEY"] = "a-key-for-tests-0123456789-abcdefghijklmnop"
os.environ["DEBUG"] = "0"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:")
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="bulktranscribe-tests-")

from bulktranscribe.settings import *  # noqa: E402, F403

CELERY_BROKER_URL = "memory://"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if template := os.environ.get("TEST_DATABASE_TEMPLATE"):  # a database that sorts in another language
    DATABASES["default"]["TEST"] = {"TEMPLATE": template}  # noqa: F405
