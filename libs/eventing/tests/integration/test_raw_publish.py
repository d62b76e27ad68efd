import asyncio

import pytest
from cortex_eventing.adapters.nats.connection import Nats
from cortex_eventing.adapters.nats.raw_publish import command, publish_all
from nats.aio.msg import Msg

pytestmark = pytest.mark.integration


async def test_a_message_arrives_as_from_the_public_method(nats: Nats) -> None:
    """The two methods of nats-py that it uses are not public: this shows whether another version still has them."""
    came: asyncio.Queue[Msg] = asyncio.Queue()
    await nats.client.subscribe("raw.*", cb=came.put)
    headers = {"ce-id": "7", "ce-subject": "box:%C3%BC", "empty-body": "no"}
    for body in (b"", b"a body\r\n with lines", b"\x00\xff" * 1_000):
        await nats.client.publish("raw.here", body, "raw.reply.to", headers)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await publish_all(nats.client, [command("raw.here", "raw.reply.to", lines, body)])
        public, raw = await came.get(), await came.get()
        assert (raw.subject, raw.reply, raw.headers, raw.data) == (
            *(public.subject, public.reply, public.headers, public.data),
        )


async def test_many_at_once_keep_their_order(nats: Nats) -> None:
    """They travel in one write."""
    came: asyncio.Queue[Msg] = asyncio.Queue()
    await nats.client.subscribe("raw.*", cb=came.put)
    await publish_all(nats.client, [command("raw.n", "", f"n: {number}\r\n", b"x") for number in range(500)])
    assert [int((await came.get()).headers["n"]) for _ in range(500)] == list(range(500))
