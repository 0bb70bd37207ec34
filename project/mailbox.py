"""The demo's outgoing mail as a page: what people would find in their mailboxes. Not there outside the demo."""

import email
from dataclasses import dataclass
from datetime import datetime
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.shortcuts import render

SHOWN = 50
# What Django's file backend writes after each message.
SEPARATOR = b"-" * 79


@dataclass
class Mail:
    to: str
    subject: str
    sent_at: datetime
    text: str


def mailbox(request):
    if not settings.DEMO:
        raise Http404
    return render(request, "demo/mail.html", {"mails": read(Path(settings.EMAIL_FILE_PATH)), "shown": SHOWN})


def read(folder: Path) -> list[Mail]:
    """The newest messages in the folder, the newest first."""
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:SHOWN]
    mails = [_parse(raw) for file in files for raw in file.read_bytes().split(SEPARATOR) if raw.strip()]
    return sorted(mails, key=lambda mail: mail.sent_at, reverse=True)[:SHOWN]


def _parse(raw: bytes) -> Mail:
    message = email.message_from_bytes(raw.lstrip(), policy=default)
    body = message.get_body(("plain", "html"))
    return Mail(message["To"], message["Subject"], parsedate_to_datetime(message["Date"]), body.get_content() if body else "")
