"""Traces: one span for every call, linked to the caller's, and carried on to the events."""

import json
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.integration

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
# Tracing is switched on once for a process and for good, so it gets a process of its own.
PROGRAM = """
    import asyncio, json
    import grpc
    from cortex.identity.v1.identity_service_pb2 import GetParticipantRequest
    from cortex.identity.v1.resources_pb2 import Participant
    from cortex_eventing.errors import NotFound
    from cortex_runtime.adapters.channels import channel_to
    from cortex_runtime.requests import origin_of
    from cortex_runtime.telemetry import traces
    from cortex_testkit.fake_services import IDENTITY, fake, listening, stub

    ID = "01980a8f-0000-7000-8000-00000000000a"
    GET = GetParticipantRequest(project_id=ID, participant_id=ID)
    origins = []

    async def get(request, context):
        origins.append(origin_of(context).traceparent)
        if len(origins) > 1:
            raise NotFound("participant")
        return Participant()

    async def main():
        async with listening(fake(IDENTITY, GetParticipant=get)) as server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                call = stub(channel, IDENTITY, "GetParticipant")
                await call(GET, metadata=(("traceparent", "00-{trace}-b7ad6b7169203331-01"),))
            async with channel_to(server.address) as channel:
                try:
                    await stub(channel, IDENTITY, "GetParticipant")(GET)
                except grpc.aio.AioRpcError:
                    pass
        print("ORIGINS", json.dumps(origins))

    with traces("console", "identity"):
        asyncio.run(main())
"""


def test_spans_are_linked_and_carried_on() -> None:
    """The server's span belongs to the caller's trace, which is the one that the events will name."""
    program = textwrap.dedent(PROGRAM).replace("{trace}", TRACE_ID)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    first, second = json.loads(done.stdout.split("ORIGINS ")[1].splitlines()[0])
    assert first.split("-")[1] == TRACE_ID
    assert f'"trace_id": "0x{TRACE_ID}"' in done.stdout
    assert first.split("-")[2] != "b7ad6b7169203331"
    assert second.split("-")[1] != TRACE_ID
    assert done.stdout.count("SpanKind.SERVER") == 2
    assert done.stdout.count("SpanKind.CLIENT") == 1
    assert '"rpc.grpc.status_code": 5' in done.stdout
    assert '"service.name": "identity"' in done.stdout
