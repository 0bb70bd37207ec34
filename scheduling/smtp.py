"""Mail over SMTP, with what the server said to it: Django's own backend drops the answer to what was taken."""

import smtplib
from collections.abc import Callable

from django.core.mail.backends import smtp

LONGEST = 300


class Remembers:
    """Keeps the reply to the last message it gave to the server, and does something useful until it comes."""

    answer = ""
    meanwhile: Callable[[], None] | None = None
    _awaited = iter(())

    def data(self, msg):
        self.answer = ""
        # Two replies: the server wants the text; it has the text.
        self._awaited = iter((None, self.meanwhile))
        code, reply = super().data(msg)
        self.answer = as_said(code, reply)
        return code, reply

    def getreply(self):
        if meanwhile := next(self._awaited, None):
            meanwhile()
        return super().getreply()


class PlainConnection(Remembers, smtplib.SMTP):
    pass


class TLSConnection(Remembers, smtplib.SMTP_SSL):
    pass


class EmailBackend(smtp.EmailBackend):
    """``meanwhile`` is called each time that a server has been given a message, before its answer is read. It must not raise."""

    meanwhile: Callable[[], None] | None = None

    def open(self):
        opened = super().open()
        if self.connection:
            self.connection.meanwhile = self.meanwhile
        return opened

    @property
    def connection_class(self):
        return TLSConnection if self.use_ssl else PlainConnection


def answer(connection) -> str:
    """What the server said to the last message, "250 OK queued as 4F2A"; empty for a backend that talks to no server."""
    return getattr(getattr(connection, "connection", None), "answer", "")


def refusal(error: Exception) -> str:
    """What the server said when it refused, or "" if this is no answer of a server. May hold the recipient's address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return " ".join(as_said(*said) for said in error.recipients.values())[:LONGEST]
    return as_said(error.smtp_code, error.smtp_error) if isinstance(error, smtplib.SMTPResponseException) else ""


def as_said(code: int, reply: bytes | str) -> str:
    """On one line. No control characters: PostgreSQL stores no NUL, and a server can send one."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(f"{code} {plain}".split())[:LONGEST]
