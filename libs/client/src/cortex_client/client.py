"""The way in: one object that holds the connections and has a method for each thing that is asked."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

import grpc
from cortex.identity.v1 import identity_service_pb2 as identity
from cortex.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from cortex.session.v1 import session_service_pb2 as session
from cortex.session.v1.resources_pb2 import Message
from cortex.session.v1.session_service_pb2_grpc import SessionServiceStub
from cortex.transcriber.v1 import transcriber_service_pb2 as transcriber
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub

from cortex_client.audio_stream import AudioStream, Hear, nothing_to_hear
from cortex_client.channels import open_channel
from cortex_client.errors import failure_of
from cortex_client.watching import WatchCall, watch

Answer = TypeVar("Answer")

# Long enough for a command to wait out a restart of PostgreSQL, short enough for a person to wait.
DEFAULT_TIMEOUT_S = 10.0

# The longest that the transcriber takes for a recording: half an hour of speech on a busy machine.
RECORDING_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Addresses:
    """Where the services listen, each as `host:port`."""

    identity: str
    session: str
    transcriber: str


class CortexClient:
    """The services of one installation, as one project uses them. An async context manager.

    Every unary call has a deadline, is repeated while the service is unavailable, and carries a request id when it
    changes something, so that repeats are harmless. Every method raises `cortex_client.errors.CallFailed`.

    Attributes:
        identity, session, transcriber: the stubs, for what has no method here.
    """

    def __init__(self, addresses: Addresses, project_id: str, *, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        self.project_id = project_id
        self._addresses = addresses
        self._timeout = timeout
        self._channels = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.identity = IdentityServiceStub(await self._channel(self._addresses.identity))
        self.session = SessionServiceStub(await self._channel(self._addresses.session))
        self.transcriber = TranscriberServiceStub(await self._channel(self._addresses.transcriber))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channels.aclose()

    async def create_participant(
        self, external_user_id: str, *, display_name: str = "", request_id: str = "", timeout: float | None = None
    ) -> identity.CreateParticipantResponse:
        """Create a participant, or find the one who has this external user id."""
        request = identity.CreateParticipantRequest(
            project_id=self.project_id,
            request_id=request_id or new_request_id(),
            external_user_id=external_user_id,
            display_name=display_name,
        )
        return await self._call(self.identity.CreateParticipant, request, timeout)

    async def create_session(
        self,
        external_room_id: str,
        gateway: str,
        *,
        title: str = "",
        language: str = "",
        request_id: str = "",
        timeout: float | None = None,
    ) -> session.CreateSessionResponse:
        """Begin the transcription of a room. Raises RoomTaken when it has an active session.

        `language` is what is spoken in it, as a BCP-47 tag: it chooses the speech model.
        """
        request = session.CreateSessionRequest(
            project_id=self.project_id,
            request_id=request_id or new_request_id(),
            external_room_id=external_room_id,
            gateway=gateway,
            title=title,
            language=language,
        )
        return await self._call(self.session.CreateSession, request, timeout)

    async def stop_session(
        self, session_id: str, *, request_id: str = "", timeout: float | None = None
    ) -> session.StopSessionResponse:
        """End a session for ever."""
        request = session.StopSessionRequest(
            project_id=self.project_id, request_id=request_id or new_request_id(), session_id=session_id
        )
        return await self._call(self.session.StopSession, request, timeout)

    async def list_messages(
        self, session_id: str, *, min_position: int = 0, page_size: int = 0, timeout: float | None = None
    ) -> AsyncIterator[Message]:
        """What was said, in speaking order; pages are fetched as they are needed."""
        request = session.ListMessagesRequest(
            project_id=self.project_id, session_id=session_id, min_position=min_position, page_size=page_size
        )
        while True:
            page = await self._call(self.session.ListMessages, request, timeout)
            for message in page.messages:
                yield message
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch_messages(
        self, session_id: str, *, after_position: int = 0, include_interim: bool = False
    ) -> AsyncIterator[session.WatchMessagesResponse]:
        """What was said so far, a marker, then each message as it comes, until the session is over.

        A broken connection is made again and goes on after the last position.
        """

        def call(position: int) -> WatchCall:
            return self.session.WatchMessages(
                session.WatchMessagesRequest(
                    project_id=self.project_id,
                    session_id=session_id,
                    after_position=position,
                    include_interim=include_interim,
                )
            )

        return watch(call, after_position)

    async def recognize(
        self, audio: bytes, *, model: str = "", language: str = "", timeout: float = RECORDING_TIMEOUT_S
    ) -> transcriber.RecognizeResponse:
        """Hear a whole recording (WAV, FLAC or Ogg Opus); nothing is stored.

        `language` is what is spoken, as a BCP-47 tag: it chooses the model where none is named.
        """
        request = transcriber.RecognizeRequest(project_id=self.project_id, audio=audio, model=model, language=language)
        return await self._call(self.transcriber.Recognize, request, timeout)

    async def list_models(self, *, timeout: float | None = None) -> AsyncIterator[transcriber.Model]:
        """The speech models that the transcriber has loaded."""
        request = transcriber.ListModelsRequest(project_id=self.project_id)
        while True:
            page = await self._call(self.transcriber.ListModels, request, timeout)
            for model in page.models:
                yield model
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def audio_stream(
        self,
        session_id: str,
        *,
        hear: Hear = nothing_to_hear,
        include_interim: bool = False,
        endpoint_silence: timedelta | None = None,
    ) -> AudioStream:
        """A bot's stream for one room, an async context manager; `hear` gets each interim and final text.

        `endpoint_silence` ends an utterance, 300 ms to 5 s; by default the service's own.
        """
        return AudioStream(
            self.transcriber.StreamAudio,
            self.project_id,
            session_id,
            hear=hear,
            include_interim=include_interim,
            endpoint_silence=endpoint_silence,
        )

    async def _channel(self, address: str) -> grpc.aio.Channel:
        return await self._channels.enter_async_context(open_channel(address))

    async def _call(self, method: Callable[..., Awaitable[Answer]], request: object, timeout: float | None) -> Answer:
        try:
            return await method(request, timeout=timeout or self._timeout)
        except grpc.aio.AioRpcError as error:
            raise failure_of(error) from None


def new_request_id() -> str:
    """An id that makes repeats of one request recognisable."""
    return str(uuid.uuid4())
