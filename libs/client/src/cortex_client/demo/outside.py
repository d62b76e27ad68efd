"""An outside consumer: knows NATS, CloudEvents and the contracts, and asks no service of ours anything."""

import asyncio

from cortex_eventing.cancelling import cancel_until_ended
from nats.aio.client import Client

from cortex_client.demo.view import View
from cortex_client.events import STREAMS, ReceivedEvent, connect, follow

# The type of the event that ends the demo.
SESSION_ENDED = "session.ended"


class OutsideConsumer:
    """Follows everything that happens in one project.

    Attributes:
        received: how many events came.
        ended: set when a session's end was among them.
    """

    def __init__(self, nats_url: str, project_id: str, view: View) -> None:
        self._nats_url = nats_url
        self._subject = f"cortex.v1.{project_id}.>"
        self._view = view
        self.received = 0
        self.ended = asyncio.Event()

    async def consume(self) -> None:
        """Follow every stream that carries events, until cancelled."""
        broker = await connect(self._nats_url)
        following = [asyncio.create_task(self._follow(broker, stream)) for stream in STREAMS]
        try:
            await asyncio.gather(*following)
        finally:
            await cancel_until_ended(*following)
            await broker.close()

    async def _follow(self, broker: Client, stream: str) -> None:
        async for event in follow(broker, stream, subject=self._subject):
            self._take(event)

    def _take(self, event: ReceivedEvent) -> None:
        self.received += 1
        self._view.received(event)
        if event.type == SESSION_ENDED:
            self.ended.set()
