"""Every call is admitted, refused and concluded in the same way."""

import asyncio
from typing import Any

import pytest
from cortex.identity.v1.identity_service_pb2 import GetParticipantRequest
from cortex.identity.v1.resources_pb2 import Participant
from cortex_runtime.caller import call_of, caller_of, deadline_of
from cortex_runtime.requests import origin_of
from cortex_testkit.fake_services import IDENTITY, fake, serving, stub

pytestmark = pytest.mark.integration

PROJECT = "01980a8f-0000-7000-8000-000000000001"
ID = "01980a8f-0000-7000-8000-00000000000a"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

GET = GetParticipantRequest(project_id=PROJECT, participant_id=ID)


async def test_handlers_see_a_caller() -> None:
    """The project of the request becomes the caller, with the trace and correlation id that came along."""
    seen: list[Any] = []

    async def get(_request: object, context: object) -> Participant:
        seen.extend((call_of(context), caller_of(context), origin_of(context), deadline_of(context)))
        return Participant()

    async with serving(fake(IDENTITY, GetParticipant=get)) as channel:
        headers = (("traceparent", TRACE), ("x-correlation-id", ID.upper()))
        await stub(channel, IDENTITY, "GetParticipant")(GET, metadata=headers, timeout=5)
    call, caller, origin, deadline = seen
    assert (call.method, call.domain) == ("GetParticipant", "cortex.identity")
    assert (caller.project_id, caller.is_service) == (PROJECT, False)
    assert (origin.project_id, origin.traceparent, origin.correlation_id) == (PROJECT, TRACE, ID)
    assert deadline <= asyncio.get_running_loop().time() + 5
