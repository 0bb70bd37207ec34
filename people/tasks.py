"""What the worker does for people. Arguments are keys only: the queue's tables hold no personal data."""

import logging

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.tasks import async_task

from people import inviting
from people.imports import work

logger = logging.getLogger(__name__)


def send_invitations() -> str:
    """Mail the invitations that wait: once a minute, and at once after somebody asked for them."""
    return f"{inviting.sweep()} sent"


def go_on_with_import(key: str) -> str:
    """The next parts of a large sheet; what is left is a task of its own, so that others come in between."""
    try:
        more = work.go_on(key)
    except Exception as error:
        # The kind only: what it says may name people.
        logger.error("import %s: %s", key, type(error).__name__)
        work.give_up(key)
        return "given up"
    if more:
        async_task("people.tasks.go_on_with_import", key)
    return "more to do" if more else "done"


def forget_log_ins() -> str:
    """Drop log-ins that are over, with what was typed and not sent, and where they came from."""
    log_ins = UserSession.objects.count()
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return f"{log_ins - UserSession.objects.count()} forgotten"


def forget_imports() -> str:
    """Drop sheets that nobody applied within a day."""
    return f"{work.forget_old(timezone.now())} forgotten"
