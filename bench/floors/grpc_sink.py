"""Floor of `ingest`: a bare grpc.aio server that reads the same messages, and does nothing with them.

Runs as a process of its own: says its address in a line, and serves until its input ends.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioRequest

SERVICE = "cortex.transcriber.v1.TranscriberService"


async def sink(requests: AsyncIterator[StreamAudioRequest], _context: object) -> None:
    """Read to the end, and answer nothing."""
    async for _ in requests:
        pass


async def main() -> None:
    """Serve."""
    server = grpc.aio.server()
    handler: Any = grpc.stream_stream_rpc_method_handler(sink, StreamAudioRequest.FromString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"StreamAudio": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(main())
