"""The one place that knows who talks to whom in the transcriber; start and stop order is the indentation."""

import time
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex.transcriber.v1.transcriber_service_pb2 import DESCRIPTOR
from cortex.transcriber.v1.transcriber_service_pb2_grpc import add_TranscriberServiceServicer_to_server
from cortex_eventing.adapters.nats.connection import Nats, connected
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.reader import NatsSource
from cortex_eventing.adapters.nats.stream import NatsStream
from cortex_eventing.adapters.nats.stream import StreamSettings as NatsStreamSettings
from cortex_eventing.adapters.postgres.checkpoint_store import PostgresCheckpointStore
from cortex_eventing.adapters.postgres.election import PostgresElection
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.adapters.postgres.link import Link, linked
from cortex_eventing.adapters.postgres.projection_store import PostgresProjectionStore
from cortex_eventing.catalogue import Catalogue
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.progress import Progress
from cortex_eventing.projection import ProjectionRunner, rebuild
from cortex_eventing.reaction_runner import ReactionRunner
from cortex_eventing.reading import Reading, Source
from cortex_eventing.relay import Relay
from cortex_eventing.role_state import Reports
from cortex_eventing.roles import Role, running
from cortex_runtime.adapters.admin_http import admin_http
from cortex_runtime.adapters.channels import channel_to
from cortex_runtime.adapters.error_table import status_of
from cortex_runtime.adapters.grpc_feed import GrpcFeed
from cortex_runtime.adapters.grpc_server import Listening, Served, grpc_server
from cortex_runtime.adapters.operating import Operating
from cortex_runtime.adapters.postgres_watch import watch_postgres
from cortex_runtime.adapters.schema import bring_up_to_date
from cortex_runtime.clock import SystemClock
from cortex_runtime.command_line import Task
from cortex_runtime.ids import Uuid7Ids
from cortex_runtime.readiness import POSTGRES, Readiness

from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.grpc_stream_audio import TranscriberServicer
from cortex_transcriber.adapters.identity_client import GrpcIdentities
from cortex_transcriber.adapters.live_publisher import LivePublisher
from cortex_transcriber.adapters.postgres_presence import PostgresPresence
from cortex_transcriber.adapters.recognisers import recognisers_of
from cortex_transcriber.adapters.session_client import GrpcSessions
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.commanding import StoredSpeakers
from cortex_transcriber.domain.decisions import SPEAKER
from cortex_transcriber.domain.speaker import SPEAKER_EVENTS
from cortex_transcriber.following import SessionFollower
from cortex_transcriber.loaded_models import LoadedModels
from cortex_transcriber.reactions.empty_rooms import EMPTY_ROOMS, emptying
from cortex_transcriber.read_models.open_speakers import PROJECTION
from cortex_transcriber.recording_wiring import allowance, hearing_recordings, loaded
from cortex_transcriber.recordings.hearing import Recordings
from cortex_transcriber.settings import StreamSettings, TranscriberSettings
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.scheduler import Scheduler, scheduling
from cortex_transcriber.stream.admission import Admission
from cortex_transcriber.stream.hearing import Hearing
from cortex_transcriber.stream.limits import Limits
from cortex_transcriber.stream.metrics import LATENESS
from cortex_transcriber.stream.open_streams import OpenStreams
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.sweeping import Heartbeat, Sweep

SERVICE = "transcriber"
STREAM = "TRANSCRIBER"
SESSION_STREAM = "SESSION"
REFILL = "python -m cortex_transcriber refill-stream"
MIGRATIONS = ("cortex_eventing.adapters", "cortex_transcriber")
EVENTS = Catalogue(SPEAKER_EVENTS)
CLOCK = SystemClock()
IDS = Uuid7Ids(CLOCK)


@asynccontextmanager
async def transcriber_service(settings: TranscriberSettings) -> AsyncIterator[Listening]:
    """The transcriber, as one process runs it. It takes streams once the models are loaded and warm."""
    access = settings.postgres.access
    running_models = recognisers_of(settings.model)
    await bring_up_to_date(access, *MIGRATIONS)
    reports, readiness = Reports(), Readiness(POSTGRES)
    silero = load_silero()
    hearing = Hearing(VadBatcher(silero))
    async with (
        scheduling(running_models.recognisers, running_models.workers) as scheduler,
        event_store(settings) as store,
        connected(settings.nats.url, f"cortex-{SERVICE}") as nats,
        channel_to(settings.session.address) as session,
        channel_to(settings.identity.address) as identity,
        linked(access.writer_dsn, "cortex-projection") as projecting,
        linked(access.writer_dsn, "cortex-presence") as joining,
        linked(access.writer_dsn, "cortex-sweep") as sweeping,
        linked(access.writer_dsn, "cortex-reaction") as reacting,
    ):
        open_streams = _open_streams(settings.streams, scheduler)
        models = LoadedModels([loaded(recogniser, scheduler) for recogniser in running_models.recognisers])
        speakers = StoredSpeakers(CommandHandling(SPEAKER, store, CLOCK))
        sessions_feed = GrpcFeed(SessionServiceStub(session), "session")
        follower = SessionFollower(sessions_feed, open_streams)
        parts = Parts(
            sessions=GrpcSessions(session, follower.following),
            identities=GrpcIdentities(identity),
            speakers=speakers,
            presence=PostgresPresence(joining),
            models=models,
            live=LivePublisher(nats),
            hearing=hearing,
            open_streams=open_streams,
            new_decoder=new_decoder,
            segmenting=settings.speech.segmenting,
            now=time.time,
            new_holder=lambda: str(IDS.new()),
            status_of=lambda error: status_of(error, f"cortex.{SERVICE}"),
            limits=Limits(max_peers=settings.streams.peers),
        )
        record = PostgresPresence(sweeping)
        sessions = Reading(Source(NatsSource(nats, SESSION_STREAM), sessions_feed), follower)
        elected = [
            *_own_events(settings, store, nats, projecting),
            _rooms_of_ended_sessions(record, reacting, Source(NatsSource(nats, SESSION_STREAM), sessions_feed)),
            Role("sweep", Sweep(record, speakers).run),
        ]
        everywhere = [
            Role("hearing", lambda _: hearing.listen()),
            Role("pauses", lambda _: hearing.notice_pauses()),
            Role("heartbeat", Heartbeat(open_streams, record).run),
            Role(follower.name, sessions.run),
            Role("postgres", lambda _: watch_postgres(access.writer_dsn, readiness)),
        ]
        async with (
            running(elected, reports, PostgresElection(access.writer_dsn, SERVICE)),
            running(everywhere, reports),
        ):
            with (
                admin_http(settings.admin),
                hearing_recordings(silero, settings.speech, settings.recordings) as recordings,
            ):
                served = _served(settings, parts, recordings, models, store)
                async with grpc_server(settings.grpc, served, readiness=readiness) as listening:
                    yield listening


def _open_streams(settings: StreamSettings, scheduler: Scheduler) -> OpenStreams:
    """The streams of this process; how late finals are decides whether there is time for more."""
    LATENESS.set_function(lambda: scheduler.lateness)
    admission = Admission(scheduler.lateness_for, settings.late_ms / 1_000)
    return OpenStreams(settings.most, settings.most_of_project, admission.has_time)


def event_store(settings: TranscriberSettings) -> PostgresEventStore:
    """The events of the transcriber."""
    return PostgresEventStore(
        settings.postgres.access.writer_dsn, EVENTS, settings.claim_key.get_secret_value().encode()
    )


def _own_events(
    settings: TranscriberSettings, store: PostgresEventStore, nats: Nats, projecting: Link
) -> Sequence[Role]:
    """What one replica does for all with this service's events."""
    stream = NatsStreamSettings(STREAM, EVENTS.filters(), manage=settings.nats.manage_streams)
    relay = Relay(store, NatsStream(nats, stream, Envelopes(EVENTS, SERVICE)), refill=REFILL)
    source = Source(NatsSource(nats, STREAM), store, store.changes)
    rows = PostgresProjectionStore(projecting, PROJECTION)
    projection = ProjectionRunner(PROJECTION, rows, source, Progress(PROJECTION.name))
    return Role("relay", relay.run), Role(f"projection:{PROJECTION.name}", projection.run)


def _rooms_of_ended_sessions(record: PostgresPresence, reacting: Link, ends: Source) -> Role:
    checkpoint = PostgresCheckpointStore(reacting, EMPTY_ROOMS.name)
    runner = ReactionRunner(EMPTY_ROOMS, emptying(record.session_over), checkpoint, ends)
    return Role(f"reaction:{EMPTY_ROOMS.name}", runner.run)


def _served(
    settings: TranscriberSettings,
    parts: Parts,
    recordings: Recordings,
    models: LoadedModels,
    store: PostgresEventStore,
) -> Served:
    grace = timedelta(seconds=settings.grpc.grace)
    servicer = TranscriberServicer(parts, recordings, models, store, stops_by=lambda: CLOCK.now() + grace)
    service = DESCRIPTOR.services_by_name["TranscriberService"]
    allowances = {"Recognize": allowance(settings.recordings)}
    return Served(service, add_TranscriberServiceServicer_to_server, servicer, servicer.drain, allowances)


async def _migrate(settings: TranscriberSettings, _arguments: Namespace) -> str:
    applied = await bring_up_to_date(settings.postgres.access, *MIGRATIONS)
    return f"applied {len(applied)} migrations"


async def _rebuild(settings: TranscriberSettings, _arguments: Namespace) -> str:
    async with linked(settings.postgres.access.writer_dsn, "cortex-rebuild") as link:
        await rebuild(PostgresProjectionStore(link, PROJECTION))
    return "the read model is empty; the running service fills it again"


TASKS: Mapping[str, Task[TranscriberSettings]] = {
    "migrate": Task("bring the database's schema up to date, as its owner", _migrate),
    "rebuild": Task("make the read model anew from the events", _rebuild),
    **Operating[TranscriberSettings](STREAM, (PROJECTION.name,)).tasks,
}
"""What the command line does beside running the service."""
