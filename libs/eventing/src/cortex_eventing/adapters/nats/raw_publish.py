"""Publishing many messages whose headers are written already.

nats-py takes headers as a mapping and checks and copies each anew, which costs twice as much as all else that a relay
does for an event. So the command is written here, and handed to the two methods that `Client.publish` ends in. They are
no public interface: a test holds what arrives against `Client.publish`, so that another version of nats-py shows there.
"""

from collections.abc import Sequence

import nats.errors
from nats.aio.client import Client

VERSION_LINE = b"NATS/1.0\r\n"


def command(subject: str, reply: str, lines: str, body: bytes) -> bytes:
    """One message as it travels to the server.

    Args:
        subject: where; no blanks.
        reply: where the answer goes; no blanks.
        lines: its headers, each ended by CR and LF, all printable ASCII.
        body: what it carries.
    """
    headers = lines.encode("ascii")
    size = len(VERSION_LINE) + len(headers) + 2
    return b"HPUB %b %b %d %d\r\n%b%b\r\n%b\r\n" % (
        subject.encode("ascii"),
        reply.encode("ascii"),
        size,
        size + len(body),
        VERSION_LINE,
        headers,
        body,
    )


async def publish_all(client: Client, commands: Sequence[bytes]) -> None:
    """Send messages in order, and wait until the connection takes more.

    Raises:
        ConnectionClosedError: the connection is closed for good.
        OutboundBufferLimitError: it is broken for the moment.
    """
    if client.is_closed:
        raise nats.errors.ConnectionClosedError
    if not client.is_connected:
        raise nats.errors.OutboundBufferLimitError
    await client._send_command(b"".join(commands))  # noqa: SLF001 - see above
    await client._flush_pending()  # noqa: SLF001 - see above
