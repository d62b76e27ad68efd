"""A server says whether it is ready, counts what it does, and ends in an order that loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from cortex.identity.v1.identity_service_pb2 import GetParticipantRequest, LookupParticipantRequest
from cortex.identity.v1.resources_pb2 import Participant
from cortex.session.v1.session_service_pb2 import WatchMessagesRequest, WatchMessagesResponse
from cortex_runtime.adapters.admin_http import admin_http
from cortex_runtime.adapters.grpc_server import LARGEST_REQUEST, Served, grpc_server
from cortex_runtime.allowance import Allowance
from cortex_runtime.failures import CannotStart
from cortex_runtime.readiness import POSTGRES, Readiness
from cortex_runtime.settings import AdminSettings, GrpcSettings
from cortex_testkit.fake_services import IDENTITY, SESSION, fake, serving, stub
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from prometheus_client import REGISTRY

pytestmark = pytest.mark.integration

PROJECT = "01980a8f-0000-7000-8000-000000000001"
ID = "01980a8f-0000-7000-8000-00000000000a"
GET = GetParticipantRequest(project_id=PROJECT, participant_id=ID)
WATCH = WatchMessagesRequest(project_id=PROJECT, session_id=ID)
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Watched:
    """A watcher that waits for ever once it has said something."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def __call__(self, _request: object, _context: object) -> AsyncIterator[WatchMessagesResponse]:
        try:
            yield WatchMessagesResponse(position=1)
            await asyncio.Event().wait()
        finally:
            self.closed.set()


@asynccontextmanager
async def served(service: Served) -> AsyncIterator[grpc.aio.Channel]:
    """Serve, with a channel that outlives the server, so that what it says last is heard."""
    async with grpc_server(GrpcSettings(grace=5), service, readiness=Readiness()) as listening:
        channel = grpc.aio.insecure_channel(listening.address)
        yield channel


def draining(service: Served, told: asyncio.Event) -> Served:
    """The same service, whose drain sets an event."""

    async def drain() -> None:
        told.set()

    return replace(service, drain=drain)


async def status(channel: grpc.aio.Channel, service: str) -> int:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
    return int(answer.status)


class TestHealth:
    async def test_readiness_follows_the_conditions(self) -> None:
        """Ready as soon as every condition holds, and no longer once one is lost; alive all the while."""
        readiness = Readiness(POSTGRES, "warm")
        async with serving(fake(IDENTITY), readiness=readiness) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="readiness"))
            assert (await watching.read()).status == NOT_SERVING
            assert await status(channel, "liveness") == SERVING
            readiness.set(POSTGRES, True)
            readiness.set("warm", True)
            assert (await watching.read()).status == SERVING
            assert [await status(channel, name) for name in ("", IDENTITY.full_name)] == [SERVING, SERVING]
            readiness.set(POSTGRES, False)
            assert (await watching.read()).status == NOT_SERVING
            assert await status(channel, "liveness") == SERVING

    async def test_reflection_names_the_services(self) -> None:
        """A tool without our protos can ask what is served."""
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async with serving(fake(IDENTITY)) as channel:
            answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]))
            names = [one.name async for answer in answers for one in answer.list_services_response.service]
        assert {IDENTITY.full_name, "grpc.health.v1.Health"} <= set(names)


class TestLimits:
    async def test_an_oversized_request_is_refused(self) -> None:
        """GRPC itself refuses what no contract of ours allows, before anything is parsed."""
        async with serving(fake(IDENTITY)) as channel:
            call = channel.unary_unary(f"/{IDENTITY.full_name}/GetParticipant")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"x" * (LARGEST_REQUEST + 1))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    async def test_an_allowance_is_for_its_method_alone(self) -> None:
        """A method may take larger requests and more time without the others doing so."""
        allowance = Allowance(2 * LARGEST_REQUEST, default_deadline=0.05, longest_deadline=0.05)
        large = b"x" * (LARGEST_REQUEST + 1)

        async def endless(_request: object, _context: object) -> None:
            await asyncio.Event().wait()

        service = replace(fake(IDENTITY, LookupParticipant=endless), allowances={"LookupParticipant": allowance})
        async with served(service) as channel:
            refused: dict[str, str | None] = {}
            for method in ("GetParticipant", "LookupParticipant"):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await channel.unary_unary(f"/{IDENTITY.full_name}/{method}")(large)
                refused[method] = caught.value.details()
            assert "must be at most" in refused["GetParticipant"]
            assert "no message of this method" in refused["LookupParticipant"]
            lookup = LookupParticipantRequest(project_id=PROJECT, external_user_id="ada")
            with pytest.raises(grpc.aio.AioRpcError) as late:
                await stub(channel, IDENTITY, "LookupParticipant")(lookup)
        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED

    async def test_a_port_has_one_server(self) -> None:
        """A second process on the same port is told so instead of taking half the calls."""
        async with grpc_server(GrpcSettings(), fake(IDENTITY), readiness=Readiness()) as listening:
            with pytest.raises(CannotStart, match="CORTEX_GRPC_PORT"):
                async with grpc_server(GrpcSettings(port=listening.port), fake(SESSION), readiness=Readiness()):
                    pass


class TestStopping:
    async def test_running_calls_are_answered(self) -> None:
        """A call that was taken is finished within the grace, while new ones are refused."""
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(_request: object, _context: object) -> Participant:
            begun.set()
            await go_on.wait()
            return Participant(id=ID)

        async with served(draining(fake(IDENTITY, GetParticipant=slow), go_on)) as channel:
            answer = asyncio.ensure_future(_awaited(stub(channel, IDENTITY, "GetParticipant")(GET)))
            await begun.wait()
        assert (await answer).id == ID

    async def test_watchers_are_sent_elsewhere(self) -> None:
        """A stream that would go on for ever ends with UNAVAILABLE and a hint to come back at once."""
        watched = Watched()
        async with served(fake(SESSION, WatchMessages=watched)) as channel:
            call = stub(channel, SESSION, "WatchMessages")(WATCH)
            await call.read()
            ending = asyncio.ensure_future(call.read())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ending
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        kinds = [packed.TypeName() for packed in rpc_status.from_call(caught.value).details]
        assert error_details_pb2.RetryInfo.DESCRIPTOR.full_name in kinds
        assert watched.closed.is_set()

    async def test_servicers_drain_before_streams_are_ended(self) -> None:
        """A servicer may say goodbye in its own words; what ends by itself then ends well."""
        goodbye, gone = asyncio.Event(), asyncio.Event()

        async def drain() -> None:
            goodbye.set()
            await gone.wait()

        async def watch(_request: object, _context: object) -> AsyncIterator[WatchMessagesResponse]:
            yield WatchMessagesResponse(position=1)
            await goodbye.wait()
            yield WatchMessagesResponse(position=2)
            gone.set()

        async with served(replace(fake(SESSION, WatchMessages=watch), drain=drain)) as channel:
            call = stub(channel, SESSION, "WatchMessages")(WATCH)
            assert (await call.read()).position == 1
        assert (await call.read()).position == 2
        assert await call.code() is grpc.StatusCode.OK

    async def test_health_says_so_first(self) -> None:
        """Load balancers hear NOT_SERVING while the drain goes on."""
        said: list[int] = []
        told, asked = asyncio.Event(), asyncio.Event()

        async def drain() -> None:
            asked.set()
            await told.wait()

        service = replace(fake(IDENTITY), drain=drain)
        async with served(service) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            said.append((await watching.read()).status)

            async def hear() -> None:
                said.append((await watching.read()).status)
                assert asked.is_set()
                told.set()

            hearing = asyncio.ensure_future(hear())
        await hearing
        assert said == [SERVING, NOT_SERVING]


class TestMetrics:
    async def test_calls_are_counted_by_status(self) -> None:
        """Every ended call is in the counters that grpc-prometheus dashboards read, served over HTTP."""
        labels = {"grpc_type": "unary", "grpc_service": IDENTITY.full_name, "grpc_method": "LookupParticipant"}
        handled = {**labels, "grpc_code": "INVALID_ARGUMENT"}
        before = REGISTRY.get_sample_value("grpc_server_handled_total", handled) or 0
        async with serving(fake(IDENTITY)) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await stub(channel, IDENTITY, "LookupParticipant")(LookupParticipantRequest())
        assert REGISTRY.get_sample_value("grpc_server_handled_total", handled) == before + 1
        assert REGISTRY.get_sample_value("grpc_server_in_flight", labels) == 0
        with admin_http(AdminSettings(port=0)) as port:
            page = await asyncio.to_thread(_page, port)
        assert 'grpc_server_handling_seconds_count{grpc_method="LookupParticipant"' in page


def _page(port: int | None) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text: str = answer.read().decode()
        return text


async def _awaited(call: Any) -> Any:  # noqa: ANN401
    return await call
