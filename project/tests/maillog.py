"""A mail server in a process of its own, that remembers in a file: `python -m project.tests.maillog FILE`.

It writes its port on standard output. The Message-ID of each message is in the file, and on the disk, before the sender is
told yes: what the file says was taken was taken, whoever dies meanwhile.
"""

import asyncio
import logging
import os
import smtplib
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.smtp import SMTP


class Log:
    def __init__(self, file):
        self.file = file

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.file.write(message_from_bytes(envelope.content)["Message-ID"] + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        return "250 OK"


async def serve(file) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Log(file), hostname="mail.test"), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


class LoggingServer:
    """What the tests see of it."""

    def __init__(self, port: int, path: Path):
        self.port, self.path = port, path

    def count(self) -> int:
        return self.path.read_bytes().count(b"\n")

    def copies(self) -> Counter:
        """Message-ID -> how often it was taken."""
        return Counter(self.path.read_text().split())

    def settled(self) -> Counter:
        """The same, once everything is taken that dead senders had still given."""
        before = -1
        while before != (before := self.count()):
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                client.noop()
        return self.copies()


@contextmanager
def logging_server(path: Path):
    path.touch()
    command = [sys.executable, "-m", "project.tests.maillog", str(path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield LoggingServer(int(server.stdout.readline()), path)
    finally:
        server.kill()
        server.communicate()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    with open(sys.argv[1], "a") as log:
        asyncio.run(serve(log))
