"""A mail server that takes everything and keeps nothing: `python -m project.bench.sink` says its port and serves."""

import asyncio
import logging
import sys

from aiosmtpd.smtp import SMTP


class Sink:
    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        return "250 OK"


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Sink(), hostname="mail.bench"), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    asyncio.run(serve())
