"""The gRPC door of the transcriber (1): a bot's stream, and the feed. No rule lives here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from cortex.transcriber.v1.transcriber_service_pb2 import StreamAudioRequest, StreamAudioResponse
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceServicer
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.ports import EventFeed
from cortex_runtime.adapters.feed_servicer import FeedServicer
from cortex_runtime.caller import caller_of
from cortex_runtime.requests import origin_of
from cortex_runtime.validation import validates_itself

from cortex_transcriber.adapters.grpc_recognize import RecognizeServicer
from cortex_transcriber.loaded_models import LoadedModels
from cortex_transcriber.recordings.hearing import Recordings
from cortex_transcriber.stream.audio_stream import AudioStream
from cortex_transcriber.stream.parts import Parts


class TranscriberServicer(RecognizeServicer, FeedServicer, TranscriberServiceServicer):
    """Answers the RPCs of `TranscriberService`.

    Args:
        parts: what streams work with.
        recordings: hears whole recordings.
        models: those that are loaded.
        feed: this service's events.
        stops_by: when this process will have stopped, if it stops now.
    """

    def __init__(
        self,
        parts: Parts,
        recordings: Recordings,
        models: LoadedModels,
        feed: EventFeed,
        stops_by: Callable[[], datetime],
    ) -> None:
        RecognizeServicer.__init__(self, recordings, models)
        FeedServicer.__init__(self, feed)
        self._parts = parts
        self._stops_by = stops_by

    @validates_itself
    async def StreamAudio(  # noqa: N802
        self, request_iterator: AsyncIterator[StreamAudioRequest], context: object
    ) -> AsyncIterator[StreamAudioResponse]:
        """Carry a bot's stream. It is counted as open before its session is asked for, so that no end is missed."""
        opening = (await anext(request_iterator)).open
        stream = AudioStream(opening, origin_of(context), self._parts)
        with self._parts.open_streams.opened(stream):
            session = await self._parts.sessions.active(caller_of(context).project_id, opening.session_id)
            running = asyncio.create_task(stream.run(session, request_iterator))
            try:
                async for answer in stream.outbox:
                    yield answer
                await running
            finally:
                await cancel_until_ended(running)

    async def drain(self) -> None:
        """Tell the bots to go elsewhere, and wait until the last stream has finished what it heard."""
        self._parts.open_streams.drain(self._stops_by())
        await self._parts.open_streams.all_closed()
