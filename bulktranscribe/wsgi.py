"""The WSGI application that waitress serves."""

import os

from django.core.wsgi import get_wsgi_application

from bulktranscribe.directories import make_directories

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bulktranscribe.settings")

application = get_wsgi_application()
make_directories()
