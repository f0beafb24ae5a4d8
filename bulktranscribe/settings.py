"""Every setting of the controller, read from the environment; `.env.example` lists the variables."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from bulktranscribe import environment as env
from bulktranscribe.environment import BASE_DIR, load_environment
from gpu_worker.shared import protocol

django_stubs_ext.monkeypatch()  # lets `ModelAdmin[Job]` and the like be written at run time

DATA_DIR = load_environment()
MEDIA_DIR = DATA_DIR / "media"
RESULTS_DIR = DATA_DIR / "results"
TEMP_DIR = DATA_DIR / "tmp"
INCOMING_DIR = DATA_DIR / "incoming"
BROKER_DIR = DATA_DIR / "broker"

# Security ----------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
if not SECRET_KEY and DEBUG:
    SECRET_KEY = "for-development-only-" + "0" * 30
if not DEBUG and (len(SECRET_KEY) < 32 or len(set(SECRET_KEY)) < 10 or "insecure" in SECRET_KEY):
    raise ImproperlyConfigured(
        "SECRET_KEY is missing or weak. Set it to at least 32 random characters (for example, the output of "
        "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`), or start with `make up`, "
        "which creates one."
    )

WEB_HOST = env.text("WEB_HOST", "127.0.0.1")
WEB_PORT = env.number("WEB_PORT", 8476)
LOCAL_CONTROLLER_URL = env.text("LOCAL_CONTROLLER_URL").rstrip("/") or f"http://127.0.0.1:{WEB_PORT}"
CONTROLLER_BASE_URL = env.text("CONTROLLER_BASE_URL").rstrip("/") or LOCAL_CONTROLLER_URL
ALLOWED_HOSTS = sorted(
    {"127.0.0.1", "localhost", "[::1]", *env.words("ALLOWED_HOSTS")}
    | {host for url in (CONTROLLER_BASE_URL, LOCAL_CONTROLLER_URL) if (host := urlsplit(url).hostname)}
)
is_https = CONTROLLER_BASE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [CONTROLLER_BASE_URL] if is_https else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_https else None
SECURE_HSTS_SECONDS = int(timedelta(days=30).total_seconds()) if is_https else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The application ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "bulktranscribe",
    "review",
    "remoteworker",
    "jobs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "bulktranscribe.middleware.headers_alone",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bulktranscribe.middleware.content_security_policy",
    "bulktranscribe.middleware.api_errors",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "bulktranscribe.middleware.bearer_tokens",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "bulktranscribe.urls"
WSGI_APPLICATION = "bulktranscribe.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"sizes": "jobs.pages.sizes"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ALLOW_SIGNUP = env.flag("ALLOW_SIGNUP")
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "sessions"
LOGOUT_REDIRECT_URL = "login"
LANGUAGE_CODE = env.text("LANGUAGE_CODE", "en")
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
NODE_MODULES = BASE_DIR / "node_modules"
STATICFILES_DIRS = [  # what the pages use of that
    ("npm/tus", NODE_MODULES / "tus-js-client" / "dist"),
    ("npm/wavesurfer", NODE_MODULES / "wavesurfer.js" / "dist"),
    ("npm/atkinson", NODE_MODULES / "@fontsource" / "atkinson-hyperlegible" / "files"),
]
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]  # bulktranscribe/checks.py says it with what to run
WHITENOISE_USE_FINDERS = True  # served straight from the packages: nothing to collect before a start
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 60

# Storage -----------------------------------------------------------------------------------------
FILE_UPLOAD_HANDLERS = ["jobs.uploads.ingest.HashingUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
MAX_UPLOAD_MB = env.number("MAX_UPLOAD_MB", 10_000)
MIN_FREE_DISK_MB = env.number("MIN_FREE_DISK_MB", 500)
USER_QUOTA_GB = env.number("USER_QUOTA_GB", 0.0)  # 0: no limit
INCOMING_SECONDS = env.period("INCOMING_SECONDS", 3 * 24 * 3600.0)
TRASH_SECONDS = env.period("TRASH_SECONDS", 7 * 24 * 3600.0)
PRICE_CURRENCY = env.text("PRICE_CURRENCY", "USD")  # of Worker.price_per_hour

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",  # take the write lock at BEGIN: no deadlock between read and write
    "timeout": max(5.0, env.shortened(20.0)),
    # 512 KiB of pages in memory, which any database fills: SQLite's own 2 MB fill as it grows, in every thread.
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-512;",
}
DATABASE_URL = env.text("DATABASE_URL")
DATABASES: dict[str, dict[str, Any]] = {
    "default": environ.Env.db_url_config(DATABASE_URL)
    if DATABASE_URL
    else {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "bulktranscribe.sqlite3"}
}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Workers -----------------------------------------------------------------------------------------
REMOTE_WORKER_URL = [url.rstrip("/") for url in env.words("REMOTE_WORKER_URL")]
REMOTE_WORKER_TOKEN = env.text("REMOTE_WORKER_TOKEN")
REMOTE_WORKER_MODE = env.text("REMOTE_WORKER_MODE", "off").lower()
REMOTE_WORKER_TIMEOUT_SECONDS = env.period("REMOTE_WORKER_TIMEOUT_SECONDS", 7200.0)
REMOTE_WORKER_POLL_SECONDS = env.period("REMOTE_WORKER_POLL_SECONDS", 2.0)
REMOTE_WORKER_UPLOAD_MODE = env.text("REMOTE_WORKER_UPLOAD_MODE", "pull").lower()
REMOTE_WORKER_MAX_ATTEMPTS = env.number("REMOTE_WORKER_MAX_ATTEMPTS", 1)
ALLOW_INSECURE_WORKER = env.flag("ALLOW_INSECURE_WORKER")
LOCAL_WORKER_URL = env.text("LOCAL_WORKER_URL", "http://127.0.0.1:8478").rstrip("/")
LOCAL_WORKER_TOKEN = env.text("LOCAL_WORKER_TOKEN")
LOCAL_WORKER_MODEL = env.text("LOCAL_WORKER_MODEL", "base")

# Periods, in seconds: all of them are here, and PERIODS_DIVISOR shortens them together for a test.
LEASE_SECONDS = env.period("LEASE_SECONDS", 90.0)
DISPATCH_TIMEOUT_SECONDS = env.period("DISPATCH_TIMEOUT_SECONDS", 120.0)
OUTPUTS_GRACE_SECONDS = env.period("OUTPUTS_GRACE_SECONDS", 60.0)
PING_SECONDS = env.period("PING_SECONDS", 10.0)
PROBE_SECONDS = env.period("PROBE_SECONDS", 4.0)
BUSY_SECONDS = env.period("BUSY_SECONDS", 5.0)
SOUND_SECONDS = env.number("SOUND_SECONDS", 3.0)  # 0: recordings are not looked at, players have no waveform
REAP_SECONDS = env.period("REAP_SECONDS", 5.0)
PRUNE_SECONDS = env.period("PRUNE_SECONDS", 600.0)
ORPHAN_SECONDS = env.period("ORPHAN_SECONDS", 3600.0)
AWAKE_SECONDS = max(env.period("AWAKE_SECONDS", 30.0), 3 * REMOTE_WORKER_POLL_SECONDS)
OVERDUE_SECONDS = env.period("OVERDUE_SECONDS", 60.0)
BROKER_PAUSE_SECONDS = env.period("BROKER_PAUSE_SECONDS", 5.0)
TICK_ALARM_SECONDS = env.period("TICK_ALARM_SECONDS", 15.0)
CONNECT_SECONDS = max(1.0, env.shortened(protocol.CONNECT_SECONDS))
CALL_SECONDS = max(1.0, env.shortened(protocol.TOTAL_SECONDS))
CLAIM_SECONDS = env.shortened(60.0) + 2 * CALL_SECONDS  # longer than any process holds a claim, unless killed

# Notices: what is told when a job has ended ----------------------------------------------------
NOTICE_SECONDS = env.period("NOTICE_SECONDS", 5.0)
NOTICE_RETRY_SECONDS = [env.shortened(pause) for pause in (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0)]
NOTICE_TIMEOUT_SECONDS = max(1.0, env.shortened(10.0))  # for one try, all in all
NOTICE_HELD_SECONDS = 6 * NOTICE_TIMEOUT_SECONDS  # longer than any attempt takes, unless killed
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE")
EMAIL_URL = env.text("EMAIL_URL")  # empty: nobody is written to
vars().update(environ.Env.email_url_config(EMAIL_URL or "consolemail://"))
EMAIL_TIMEOUT = NOTICE_TIMEOUT_SECONDS
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", "bulktranscribe@localhost")

# Celery: the database is the queue, a message is a nudge -----------------------------------------
REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or "folder://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": 3600,
        "socket_timeout": 1.5,  # that long a frozen one holds a page up, which is given 2 s in all
        "socket_connect_timeout": 1.5,
        "health_check_interval": 10,
        "max_retries": 0,  # a nudge is tried once; the consumer reconnects by its own rules
        "global_keyprefix": env.text("REDIS_PREFIX", "bulktranscribe:"),
    }
    if REDIS_URL
    else {
        "data_folder_in": str(BROKER_DIR / "messages"),
        "data_folder_out": str(BROKER_DIR / "messages"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.1,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # a page never waits for the broker
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "bulktranscribe.runtime.beat:SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": period, "options": {"expires": period * 2}}
    for task, period in {
        "remoteworker.tasks.dispatch_queued": REMOTE_WORKER_POLL_SECONDS,
        "remoteworker.tasks.poll_workers": REMOTE_WORKER_POLL_SECONDS,
        "remoteworker.tasks.reap": REAP_SECONDS,
        "jobs.tasks.look_at_uploads": SOUND_SECONDS,
        "jobs.tasks.make_playable_copies": SOUND_SECONDS,
        "jobs.tasks.tell_ends": NOTICE_SECONDS,
        "bulktranscribe.tasks.prune": PRUNE_SECONDS,
    }.items()
    if period
}

# Logs: JSON lines on stderr ----------------------------------------------------------------------
LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "gpu_worker.shared.json_logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "celery.beat": {"level": "WARNING"},  # it writes a line for every tick
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
