"""A mail server for tests: a real one, on a port of its own, that answers as it is told."""

import asyncio
import logging
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP

# It tells every line of every conversation, which nobody reads in a failing test.
logging.getLogger("mail.log").setLevel(logging.WARNING)

# Instead of an answer: the line goes dead.
CUT = "cut"
# Instead of an answer: nothing, for as long as anybody waits.
HANG = "hang"


class MailServer:
    """What arrived, and how the server answers. Answers are lines like "451 4.3.0 Try later", CUT or HANG."""

    def __init__(self):
        self.port = 0
        # Every message the server was given whole, in order, whatever it answered.
        self.messages: list[EmailMessage] = []
        # Addresses that are answered otherwise than "250 OK".
        self.recipients: dict[str, str] = {}
        self.to_sender = "250 OK"
        # The answers to the next messages; "250 OK" after these.
        self.to_messages: list[str] = []
        # So many senders must be in the middle of a message before any of them gets an answer.
        self.senders_awaited = 1
        self._senders: set = set()
        self._all_here = asyncio.Event()

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """To whom, and the subject."""
        return [(message["To"], message["Subject"]) for message in self.messages]

    # ---- what aiosmtpd calls ----------------------------------------------------------------------------------------

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.to_sender == "250 OK":
            envelope.mail_from = address
        return self._answer(server, self.to_sender)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self.recipients.get(address, "250 OK")
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return self._answer(server, answer)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self._senders.add(session.peer)
        if len(self._senders) >= self.senders_awaited:
            self._all_here.set()
        await asyncio.wait_for(self._all_here.wait(), timeout=60)
        answer = self.to_messages.pop(0) if self.to_messages else "250 OK"
        if answer == HANG:
            await asyncio.Event().wait()
        return self._answer(server, answer)

    def _answer(self, server, answer: str) -> str:
        if answer == CUT:
            server.transport.abort()
        return answer


@contextmanager
def mail_server():
    """Run one in a thread, and stop it afterwards."""
    loop = asyncio.new_event_loop()
    mail = MailServer()
    started = threading.Event()
    server = None

    async def start():
        nonlocal server
        server = await loop.create_server(lambda: SMTP(mail, loop=loop, hostname="mail.test"), "127.0.0.1", 0)
        mail.port = server.sockets[0].getsockname()[1]
        started.set()

    async def stop():
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop.stop()

    def run():
        loop.run_until_complete(start())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(timeout=10), "The mail server did not start."
    try:
        yield mail
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop)
        thread.join(timeout=10)
        assert not thread.is_alive(), "The mail server did not stop."
