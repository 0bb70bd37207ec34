"""What a web server calls: gunicorn project.wsgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
application = get_wsgi_application()

from scheduling import guard  # noqa: E402  needs the apps

# A web server runs no system checks, so this one is asked for by name: no page without the guard.
guard.require()
